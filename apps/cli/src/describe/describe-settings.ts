import {
  type ClientSettings,
  formatDuration,
  formatHostPort,
  formatQuota,
  type HostPort,
  isWildcard,
  type MasterSettings,
  type Rates,
  type ServerSettings,
  type Settings,
  type TunnelSettings,
} from "@nodepass/url-config";
import { describeClientRoad, describeServerRoad } from "./describe-road.ts";
import { describeVisitors } from "./describe-visitors.ts";

/** Says what settings mean, in sentences, most important first. Never holds the key. */
export function describeSettings(settings: Settings): string[] {
  switch (settings.scheme) {
    case "server":
      return describeServer(settings);
    case "client":
      return describeClient(settings);
    case "master":
      return describeMaster(settings);
  }
}

function describeServer(settings: ServerSettings): string[] {
  const entry = formatListening(settings.targets[0]);
  const exit = formatTargets(settings);
  const flow = [
    `Auto mode: if this machine can listen on ${formatAddress(settings.targets[0])}, users connect here and the client dials the service (reverse); if not, users connect at the client and this end dials ${exit} (forward).`,
    `Reverse: users connect here, on ${entry}; the client dials the service.`,
    `Forward: users connect at the client; this end dials ${exit}.`,
  ][settings.mode];
  const encryption = [
    "No TLS: traffic between the two ends can be read on the way.",
    "TLS between the two ends, with a certificate made at each start.",
    `TLS between the two ends, with the certificate in ${settings.crt}.`,
  ][settings.tls];
  return [
    `A tunnel server. Its client connects to it on ${formatListening(settings.tunnel)}.`,
    flow ?? "",
    describeTraffic(settings),
    encryption ?? "",
    ...describeServerRoad(settings),
    describeKey(settings),
    ...describeVisitors(settings),
    ...(settings.hosts.length === 0
      ? []
      : [
          `Of its users' port it takes who asks for ${settings.hosts.join(", ")} (SNI, HTTP Host), over TCP; other servers of the same master or file may have the rest.`,
        ]),
    ...(settings.ban
      ? ["Addresses whose proofs fail are refused at the tunnel port for 15 s to 10 min."]
      : []),
    ...describeLimits(settings),
  ];
}

function describeClient(settings: ClientSettings): string[] {
  const exit = formatTargets(settings);
  const server = formatAddress(settings.tunnel);
  const single = `users connect here, on ${formatListening(settings.tunnel)}, and each connection goes on to ${exit}; there is no server`;
  const dual = `it connects to the server at ${server}. If the server is in reverse mode, this end dials ${exit}; in forward mode users connect here, on ${formatListening(settings.targets[0])}`;
  const role = [
    `A client in auto mode. If this machine can listen on ${server}, it forwards by itself: ${single}. If not, it is the client of a tunnel: ${dual}.`,
    `A forwarder by itself (single-end): ${single}.`,
    `A tunnel client: ${dual}.`,
  ][settings.mode];
  const tunnel = ["The server decides about TLS between the two ends.", describeKey(settings)];
  return [
    role ?? "",
    describeTraffic(settings),
    ...(settings.mode === 1 ? [] : tunnel),
    ...describeClientRoad(settings),
    ...describeVisitors(settings),
    ...describeLimits(settings),
  ];
}

function describeMaster(settings: MasterSettings): string[] {
  const { listen, prefix, tls } = settings;
  const scheme = tls === 0 ? "http" : "https";
  return [
    `A master: it runs tunnels that are managed over an API, on ${formatListening(listen)}, below ${scheme}://…${prefix}.`,
    ...describeVisitors(settings),
  ];
}

function describeTraffic({ tcp, udp }: TunnelSettings): string {
  if (tcp && udp) return "TCP and UDP are carried.";
  if (tcp) return "Only TCP is carried.";
  return udp ? "Only UDP is carried." : "Neither TCP nor UDP is carried.";
}

function describeKey({ keyGiven, tunnel }: TunnelSettings): string {
  return keyGiven
    ? "The other end needs the same key."
    : `No key is given; one is derived from port ${tunnel.port}, so the other end must name the same port.`;
}

function describeLimits(settings: TunnelSettings): string[] {
  const { readTimeoutMs, rateBytesPerSecond, rateDownBytesPerSecond, slot, block } = settings;
  const { slotPerAddress, udpIdleMs, connectionRates, quota, quotaDay } = settings;
  const rates = {
    upBytesPerSecond: rateBytesPerSecond,
    downBytesPerSecond: rateDownBytesPerSecond ?? rateBytesPerSecond,
  };
  const blocked = [block.socks && "SOCKS", block.http && "HTTP", block.tls && "TLS"].filter(
    Boolean,
  );
  return [
    readTimeoutMs === 0
      ? ["Connections stay open however long they are idle."]
      : [`Connections without a byte for ${formatDuration(readTimeoutMs)} are closed.`],
    describeRates(rates, "in all"),
    describeRates(connectionRates, "for each connection"),
    slot === 0 ? [] : [`At most ${slot} connections and UDP sessions at a time.`],
    slotPerAddress === 0
      ? []
      : [`At most ${slotPerAddress} of them from one address (of IPv6 from one /64).`],
    quota === undefined
      ? []
      : [
          `Under a master, ${formatQuota(quota)} both ways together${quota.period === "month" ? `, from day ${quotaDay} of the month on (UTC)` : ""}: warned of at 80 % and 95 %, then stopped. Elsewhere it has no effect.`,
        ],
    udpIdleMs === 0
      ? []
      : [`UDP sessions without a datagram for ${formatDuration(udpIdleMs)} end.`],
    settings.proxy
      ? [
          `Targets get a PROXY protocol header of version ${settings.proxyVersion} with the user's address${settings.proxyVersion === 2 ? ", over UDP with each datagram" : ""}.`,
        ]
      : [],
    settings.trust.length === 0
      ? []
      : [
          `At the users' port a PROXY protocol header says whose connection it is, from ${settings.trust.join(", ")}; it is required there.`,
        ],
    blocked.length === 0 ? [] : [`Connections that begin as ${blocked.join(", ")} are closed.`],
    settings.compat ? [] : ["NodePass 1.14 nodes are refused as the other end."],
  ].flat();
}

function describeRates({ upBytesPerSecond, downBytesPerSecond }: Rates, of: string): string[] {
  const megabits = (rate: number): string => `${(rate * 8) / 1_000_000} Mbit/s`;
  if (upBytesPerSecond === 0 && downBytesPerSecond === 0) return [];
  if (upBytesPerSecond === downBytesPerSecond) {
    const each = of === "in all" ? "" : ` ${of}`;
    return [`At most ${megabits(upBytesPerSecond)} in each direction${each}.`];
  }
  const ways = [
    upBytesPerSecond === 0 ? [] : [`${megabits(upBytesPerSecond)} from users to targets`],
    downBytesPerSecond === 0 ? [] : [`${megabits(downBytesPerSecond)} from targets to users`],
  ].flat();
  return [`At most ${ways.join(" and ")} ${of}.`];
}

function formatTargets({ targets, lbs, sticky }: TunnelSettings): string {
  const names = targets.map((target) => {
    const { weight = 1 } = target;
    return weight === 1 ? formatAddress(target) : `${formatAddress(target)} (${weight} turns)`;
  });
  const all = names.join(", ");
  if (targets.length === 1) return all;
  if (sticky) return `${all}, the same for users of one address`;
  const [inTurn, quickest, primary] = ["in turn", "the quickest first", "the first that works"];
  return lbs === undefined
    ? `${all} in turn`
    : `${all}, ${{ 0: inTurn, 1: quickest, 2: primary }[lbs ?? 0]}`;
}

function formatListening(address: HostPort | undefined): string {
  if (address === undefined) return "no address";
  const port = address.port === 0 ? "a free port" : `port ${address.port}`;
  return isWildcard(address.host) ? `${port} of all interfaces` : formatAddress(address);
}

function formatAddress(address: HostPort | undefined): string {
  return address === undefined ? "no address" : formatHostPort(address);
}
