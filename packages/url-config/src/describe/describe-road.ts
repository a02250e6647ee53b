import { formatHostPort } from "../host-port.ts";
import type { ClientSettings, ServerSettings } from "../settings.ts";
import type { DescriptionWords } from "./english.ts";

/** Says over what a server's client reaches it, and what a proxy in front needs. */
export function describeServerRoad(
  { type, tls, path, tunnel, compat }: ServerSettings,
  { road }: DescriptionWords,
): string[] {
  const pool = [
    road.tcp,
    road.quic(tunnel.port),
    road.webSocket(path, tls === 0 ? "HTTP" : "HTTPS"),
    road.http2(path === "/" ? "/stream" : path),
  ][type];
  const front =
    type === 2 ? [road.proxyInFront, tls === 0 ? road.proxyEndsTls : road.proxySpeaksTls] : [];
  const old = compat && path !== "/" ? [road.oldClientsPath] : [];
  return [pool ?? "", ...front, ...old];
}

/** Says how a client gets to its server. */
export function describeClientRoad(settings: ClientSettings, words: DescriptionWords): string[] {
  return [describeFront(settings, words), describeVia(settings, words)].flat();
}

function describeFront(
  { front, path, mode }: ClientSettings,
  { road }: DescriptionWords,
): string[] {
  if (mode === 1) return [];
  const at = path === "/" ? [] : [road.path(path)];
  return front === 0 ? at : [road.front(front), ...at];
}

function describeVia(
  { via, mode, tunnel, targets, udp }: ClientSettings,
  { road, list }: DescriptionWords,
): string[] {
  if (via === undefined) return [];
  const proxy =
    via === "env"
      ? via
      : {
          protocol: via.protocol,
          address: formatHostPort(via),
          hasPassword: via.credentials !== undefined,
        };
  return [
    road.via(mode, formatHostPort(tunnel), list(targets.map(formatHostPort)), proxy),
    ...(mode === 0 && udp ? [road.noUdpByItself] : []),
    ...(mode === 1 ? [] : [road.noQuicByProxy]),
  ];
}
