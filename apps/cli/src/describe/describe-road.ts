import { type ClientSettings, formatHostPort, type ServerSettings } from "@nodepass/url-config";

/** Says over what a server's client reaches it, and what a proxy in front needs. */
export function describeServerRoad({ type, tls, path, tunnel, compat }: ServerSettings): string[] {
  const road = [
    "The pool is TCP: each connection is one of its own.",
    `The pool is QUIC: one connection for all, over UDP on port ${tunnel.port}, beside TCP for the handshake; the package @nodepass/carrier-quic has to be installed at both ends.`,
    `The pool is WebSocket on path ${path}, on the same port as the handshake: one HTTP${tls === 0 ? "" : "S"} address is all that the client needs.`,
    `The pool is HTTP/2 in TLS on path ${path === "/" ? "/stream" : path}: one connection for all.`,
  ][type];
  const front =
    type !== 2
      ? []
      : [
          "A reverse proxy in front has to pass on Upgrade and Connection over HTTP/1.1, leave Authorization and NodePass-… fields alone, not buffer, and allow 30 s of silence (docs/proxies.md).",
          ...(tls === 0
            ? [
                "Where that proxy ends TLS, the client needs front=2 (certificate verified) or front=1.",
              ]
            : [
                "The proxy has to speak TLS to this end, too; where only the proxy is to have it, tls=0 and front=2 at the client.",
              ]),
        ];
  const old =
    compat && path !== "/" ? ["NodePass 1.14 clients ask for / and can't find this path."] : [];
  return [road ?? "", ...front, ...old];
}

/** Says how a client gets to its server. */
export function describeClientRoad(settings: ClientSettings): string[] {
  return [describeFront(settings), describeVia(settings)].flat();
}

function describeFront({ front, path, mode }: ClientSettings): string[] {
  if (mode === 1) return [];
  const at = path === "/" ? [] : [`Handshake and pool ask for the path ${path}.`];
  if (front === 0) return at;
  const checked =
    front === 2 ? "its certificate is verified, chain and name" : "any certificate will do there";
  return [
    `TLS ends in front of the server, in a reverse proxy or CDN: ${checked}. Whoever runs it can read what is carried; who the server is, the key proves.`,
    ...at,
  ];
}

function describeVia({ via, mode, tunnel, targets, udp }: ClientSettings): string[] {
  if (via === undefined) return [];
  const forwarder = `its TCP targets (${targets.map(formatHostPort).join(", ")})`;
  const what = [
    `the server at ${formatHostPort(tunnel)}, or by itself ${forwarder},`,
    forwarder,
    `the server at ${formatHostPort(tunnel)}`,
  ][mode];
  const how =
    via === "env"
      ? "through the proxy that HTTPS_PROXY or ALL_PROXY names, unless NO_PROXY names the host"
      : `through the ${via.protocol === "http" ? "HTTP" : "SOCKS 5"} proxy ${formatHostPort(via)}${via.credentials === undefined ? "" : ", with a user and password"}`;
  return [
    `It dials ${what} ${how}; names are resolved by the proxy.`,
    ...(mode === 0 && udp ? ["By itself it forwards no UDP: no proxy reaches UDP targets."] : []),
    ...(mode === 1 ? [] : ["A server with type=1 (QUIC) can't be reached through a proxy."]),
  ];
}
