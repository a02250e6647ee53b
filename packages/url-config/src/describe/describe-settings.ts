import { formatDuration } from "../duration.ts";
import { formatHostPort, isWildcard } from "../host-port.ts";
import type {
  ClientSettings,
  HostPort,
  MasterSettings,
  ServerSettings,
  Settings,
  TunnelSettings,
} from "../settings.ts";
import { describeClientRoad, describeServerRoad } from "./describe-road.ts";
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
  const exit = targetsText(settings.targets, words);
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
    ...describeLimits(settings, words),
  ];
}

function describeClient(settings: ClientSettings, words: DescriptionWords): string[] {
  const { client } = words;
  const exit = targetsText(settings.targets, words);
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

function describeMaster(
  { listen, prefix, tls, ui }: MasterSettings,
  words: DescriptionWords,
): string[] {
  const url = `${tls === 0 ? "http" : "https"}://…${prefix}`;
  return [
    words.master(listeningText(listen, words), url),
    ui ? words.dashboard : words.noDashboard,
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
  const { readTimeoutMs, rateBytesPerSecond, slot, block } = settings;
  const blocked = [
    ...(block.socks ? ["SOCKS"] : []),
    ...(block.http ? ["HTTP"] : []),
    ...(block.tls ? ["TLS"] : []),
  ];
  return [
    readTimeoutMs === 0 ? limits.idleForever : limits.idle(formatDuration(readTimeoutMs)),
    ...(rateBytesPerSecond === 0 ? [] : [limits.rate((rateBytesPerSecond * 8) / 1_000_000)]),
    ...(slot === 0 ? [] : [limits.slot(slot)]),
    ...(settings.proxy ? [limits.proxy] : []),
    ...(blocked.length === 0 ? [] : [limits.block(list(blocked))]),
    ...(settings.compat ? [] : [limits.noOldPeers]),
  ];
}

function targetsText(targets: readonly HostPort[], words: DescriptionWords): string {
  const all = words.list(targets.map((each) => addressText(each, words)));
  return targets.length > 1 ? words.inTurn(all) : all;
}

function listeningText(address: HostPort | undefined, words: DescriptionWords): string {
  if (address === undefined) return words.noAddress;
  const port = address.port === 0 ? words.freePort : words.port(address.port);
  return isWildcard(address.host) ? words.allInterfaces(port) : formatHostPort(address);
}

function addressText(address: HostPort | undefined, words: DescriptionWords): string {
  return address === undefined ? words.noAddress : formatHostPort(address);
}
