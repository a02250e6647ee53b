import { formatDuration } from "../duration.ts";
import { formatHostPort, isWildcard } from "../host-port.ts";
import { formatQuota } from "../quota-kind.ts";
import type {
  ClientSettings,
  HostPort,
  MasterSettings,
  Rates,
  ServerSettings,
  Settings,
  TunnelSettings,
} from "../settings.ts";
import { describeClientRoad, describeServerRoad } from "./describe-road.ts";
import { describeVisitors } from "./describe-visitors.ts";
import { type DescriptionWords, ENGLISH } from "./english.ts";

/**
 * Says what settings mean, in sentences, most important first. Never holds the key.
 *
 * @param words those of a language
 * @example
 * describeSettings(parse("server://:10101/h:80?mode=2"))[1]; // "Forward: users connect at the client; this end dials h:80."
 */
export function describeSettings(settings: Settings, words: DescriptionWords = ENGLISH): string[] {
  switch (settings.scheme) {
    case "server":
      return describeServer(settings, words);
    case "client":
      return describeClient(settings, words);
    case "master":
      return describeMaster(settings, words);
  }
}

function describeServer(settings: ServerSettings, words: DescriptionWords): string[] {
  const { server } = words;
  const [first] = settings.targets;
  const exit = targetsText(settings, words);
  const flow = [
    server.auto(addressText(first, words), exit),
    server.reverse(listeningText(first, words)),
    server.forward(exit),
  ][settings.mode];
  const encryption = [server.noTls, server.selfSigned, server.certificate(settings.crt ?? "")][
    settings.tls
  ];
  return [
    server.role(listeningText(settings.tunnel, words)),
    flow ?? "",
    ...describeClients(settings, words),
    describeTraffic(settings, words),
    encryption ?? "",
    ...describeServerRoad(settings, words),
    describeKey(settings, words),
    ...describeVisitors(settings, words),
    ...(settings.hosts.length === 0 ? [] : [server.names(words.list(settings.hosts))]),
    ...(settings.ban ? [server.bans] : []),
    ...describeLimits(settings, words),
  ];
}

function describeClient(settings: ClientSettings, words: DescriptionWords): string[] {
  const { client } = words;
  const exit = targetsText(settings, words);
  const server = addressText(settings.tunnel, words);
  const single = client.single(listeningText(settings.tunnel, words), exit);
  const dual = client.dual(server, exit, listeningText(settings.targets[0], words));
  const role = [client.auto(server, single, dual), client.forwarder(single), client.tunnel(dual)][
    settings.mode
  ];
  return [
    role ?? "",
    ...describeServers(settings, words),
    describeTraffic(settings, words),
    ...(settings.mode === 1 ? [] : [client.tls, describeKey(settings, words)]),
    ...describeClientRoad(settings, words),
    ...describeVisitors(settings, words),
    ...describeLimits(settings, words),
  ];
}

function describeClients(
  { clients, lbs, mode }: ServerSettings,
  { server }: DescriptionWords,
): string[] {
  if (clients === 1) return [];
  const some = server.clients(clients);
  return [mode === 2 ? server.usersAtEach(some) : server.nextUser(some, lbs, mode === 0)];
}

function describeServers(
  { otherServers, tunnel }: ClientSettings,
  { client, list }: DescriptionWords,
): string[] {
  if (otherServers.length === 0) return [];
  const all = [tunnel, ...otherServers].map(formatHostPort);
  return [client.servers(all.length, list(all))];
}

function describeMaster(settings: MasterSettings, words: DescriptionWords): string[] {
  const { listen, prefix, tls, ui } = settings;
  const url = `${tls === 0 ? "http" : "https"}://…${prefix}`;
  return [
    words.master(listeningText(listen, words), url),
    ui ? words.dashboard : words.noDashboard,
    ...describeVisitors(settings, words),
  ];
}

function describeTraffic({ tcp, udp }: TunnelSettings, { traffic }: DescriptionWords): string {
  if (tcp) return udp ? traffic.both : traffic.tcp;
  return udp ? traffic.udp : traffic.none;
}

function describeKey({ keyGiven, tunnel }: TunnelSettings, words: DescriptionWords): string {
  return keyGiven ? words.sameKey : words.derivedKey(tunnel.port);
}

function describeLimits(settings: TunnelSettings, { limits, list }: DescriptionWords): string[] {
  const { readTimeoutMs, rateBytesPerSecond, rateDownBytesPerSecond, slot, block } = settings;
  const { slotPerAddress, udpIdleMs, connectionRates, quota, quotaDay } = settings;
  const rates = {
    upBytesPerSecond: rateBytesPerSecond,
    downBytesPerSecond: rateDownBytesPerSecond ?? rateBytesPerSecond,
  };
  const rateText = ({ upBytesPerSecond: up, downBytesPerSecond: down }: Rates, each: boolean) =>
    up === 0 && down === 0 ? [] : [limits.rate(megabits(up), megabits(down), each)];
  const blocked = [
    ...(block.socks ? ["SOCKS"] : []),
    ...(block.http ? ["HTTP"] : []),
    ...(block.tls ? ["TLS"] : []),
  ];
  return [
    readTimeoutMs === 0 ? limits.idleForever : limits.idle(formatDuration(readTimeoutMs)),
    ...rateText(rates, false),
    ...rateText(connectionRates, true),
    ...(slot === 0 ? [] : [limits.slot(slot)]),
    ...(slotPerAddress === 0 ? [] : [limits.slotPerAddress(slotPerAddress)]),
    ...(quota === undefined
      ? []
      : [limits.quota(formatQuota(quota), quota.period === "month" ? quotaDay : undefined)]),
    ...(udpIdleMs === 0 ? [] : [limits.udpIdle(formatDuration(udpIdleMs))]),
    ...(settings.proxy ? [limits.proxy(settings.proxyVersion)] : []),
    ...(settings.trust.length === 0 ? [] : [limits.trust(list(settings.trust))]),
    ...(blocked.length === 0 ? [] : [limits.block(list(blocked))]),
    ...(settings.compat ? [] : [limits.noOldPeers]),
  ];
}

function megabits(bytesPerSecond: number): number {
  return (bytesPerSecond * 8) / 1_000_000;
}

function targetsText({ targets, lbs, sticky }: TunnelSettings, words: DescriptionWords): string {
  const names = targets.map((target) => {
    const { weight = 1 } = target;
    const name = addressText(target, words);
    return weight === 1 ? name : words.weight(name, weight);
  });
  const all = words.list(names);
  return targets.length > 1 ? words.targets(all, lbs, sticky) : all;
}

function listeningText(address: HostPort | undefined, words: DescriptionWords): string {
  if (address === undefined) return words.noAddress;
  const port = address.port === 0 ? words.freePort : words.port(address.port);
  return isWildcard(address.host) ? words.allInterfaces(port) : formatHostPort(address);
}

function addressText(address: HostPort | undefined, words: DescriptionWords): string {
  return address === undefined ? words.noAddress : formatHostPort(address);
}
