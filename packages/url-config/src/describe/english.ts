import type { ClientSettings } from "../settings.ts";
import type { NoEffect } from "./without-effect.ts";

/** What proxies a client may dial through: of the environment, or one that is named. */
type Via =
  | "env"
  | {
      readonly protocol: "http" | "socks5";
      readonly address: string;
      readonly hasPassword: boolean;
    };

/**
 * The sentences of a description, in English. Another language has the same shape; what is said when
 * is decided elsewhere, once for all languages. No sentence ever gets a key.
 */
export const ENGLISH = {
  list: (texts: readonly string[]): string => texts.join(", "),
  noAddress: "no address",
  freePort: "a free port",
  port: (port: number): string => `port ${port}`,
  allInterfaces: (port: string): string => `${port} of all interfaces`,
  weight: (target: string, turns: number): string => `${target} (${turns} turns)`,
  targets: (all: string, lbs: 0 | 1 | 2 | undefined, sticky: boolean): string => {
    if (sticky) return `${all}, the same for users of one address`;
    if (lbs === undefined) return `${all} in turn`;
    return `${all}, ${["in turn", "the quickest first", "the first that works"][lbs]}`;
  },
  server: {
    role: (tunnel: string): string => `A tunnel server. Its client connects to it on ${tunnel}.`,
    auto: (address: string, exit: string): string =>
      `Auto mode: if this machine can listen on ${address}, users connect here and the client dials the service (reverse); if not, users connect at the client and this end dials ${exit} (forward).`,
    reverse: (entry: string): string =>
      `Reverse: users connect here, on ${entry}; the client dials the service.`,
    forward: (exit: string): string =>
      `Forward: users connect at the client; this end dials ${exit}.`,
    clients: (count: number): string => `Up to ${count} clients may have the tunnel at once`,
    usersAtEach: (some: string): string => `${some}, and users connect at each of them.`,
    nextUser: (some: string, lbs: 0 | 1 | 2 | undefined, onlyReverse: boolean): string => {
      const next = [
        "each in turn",
        "the one with the lowest latency",
        "the first that came, while it is there",
      ];
      const chosen = lbs === undefined ? "the one with the fewest connections" : next[lbs];
      return `${some}; the next user goes to ${chosen}${onlyReverse ? " in reverse mode" : ""}.`;
    },
    names: (names: string): string =>
      `Of its users' port it takes who asks for ${names} (SNI, HTTP Host), over TCP; other servers of the same master or file may have the rest.`,
    bans: "Addresses whose proofs fail are refused at the tunnel port for 15 s to 10 min.",
    noTls: "No TLS: traffic between the two ends can be read on the way.",
    selfSigned: "TLS between the two ends, with a certificate made at each start.",
    certificate: (file: string): string =>
      `TLS between the two ends, with the certificate in ${file}.`,
  },
  client: {
    single: (entry: string, exit: string): string =>
      `users connect here, on ${entry}, and each connection goes on to ${exit}; there is no server`,
    dual: (server: string, exit: string, entry: string): string =>
      `it connects to the server at ${server}. If the server is in reverse mode, this end dials ${exit}; in forward mode users connect here, on ${entry}`,
    auto: (address: string, single: string, dual: string): string =>
      `A client in auto mode. If this machine can listen on ${address}, it forwards by itself: ${single}. If not, it is the client of a tunnel: ${dual}.`,
    forwarder: (single: string): string => `A forwarder by itself (single-end): ${single}.`,
    tunnel: (dual: string): string => `A tunnel client: ${dual}.`,
    servers: (count: number, all: string): string =>
      `It knows ${count} servers: ${all}. Servers in reverse mode are all connected at once; of servers in forward mode the best that answers is, and the next one when it is lost.`,
    tls: "The server decides about TLS between the two ends.",
  },
  master: (listen: string, url: string): string =>
    `A master: it runs tunnels that are managed over an API, on ${listen}, below ${url}.`,
  dashboard: "Its dashboard is at / and under the prefix.",
  noDashboard: "It serves no dashboard.",
  traffic: {
    both: "TCP and UDP are carried.",
    tcp: "Only TCP is carried.",
    udp: "Only UDP is carried.",
    none: "Neither TCP nor UDP is carried.",
  },
  sameKey: "The other end needs the same key.",
  derivedKey: (port: number): string =>
    `No key is given; one is derived from port ${port}, so the other end must name the same port.`,
  places: { users: "the users' port", peers: "the tunnel port", api: "the API" },
  onlyThese: (place: string, who: string): string => `At ${place} only these may come: ${who}.`,
  notThese: (place: string, who: string): string => `At ${place} these may not come: ${who}.`,
  thoseIn: (file: string): string => `those in ${file}`,
  limits: {
    idleForever: "Connections stay open however long they are idle.",
    idle: (time: string): string => `Connections without a byte for ${time} are closed.`,
    rate: (up: number, down: number, each: boolean): string => {
      const of = each ? " for each connection" : "";
      if (up === down) return `At most ${up} Mbit/s in each direction${of}.`;
      const ways = [
        ...(up === 0 ? [] : [`${up} Mbit/s from users to targets`]),
        ...(down === 0 ? [] : [`${down} Mbit/s from targets to users`]),
      ];
      return `At most ${ways.join(" and ")}${each ? of : " in all"}.`;
    },
    slot: (count: number): string => `At most ${count} connections and UDP sessions at a time.`,
    slotPerAddress: (count: number): string =>
      `At most ${count} of them from one address (of IPv6 from one /64).`,
    quota: (quota: string, day: number | undefined): string =>
      `Under a master, ${quota} both ways together${day === undefined ? "" : `, from day ${day} of the month on (UTC)`}: warned of at 80 % and 95 %, then stopped. Elsewhere it has no effect.`,
    udpIdle: (time: string): string => `UDP sessions without a datagram for ${time} end.`,
    proxy: (version: 1 | 2): string =>
      `Targets get a PROXY protocol header of version ${version} with the user's address${version === 2 ? ", over UDP with each datagram" : ""}.`,
    trust: (who: string): string =>
      `At the users' port a PROXY protocol header says whose connection it is, from ${who}; it is required there.`,
    block: (protocols: string): string => `Connections that begin as ${protocols} are closed.`,
    noOldPeers: "NodePass 1.14 nodes are refused as the other end.",
  },
  road: {
    tcp: "The pool is TCP: each connection is one of its own.",
    quic: (port: number): string =>
      `The pool is QUIC: one connection for all, over UDP on port ${port}, beside TCP for the handshake; the package @nodepass/carrier-quic has to be installed at both ends.`,
    webSocket: (path: string, scheme: "HTTP" | "HTTPS"): string =>
      `The pool is WebSocket on path ${path}, on the same port as the handshake: one ${scheme} address is all that the client needs.`,
    http2: (path: string): string =>
      `The pool is HTTP/2 in TLS on path ${path}: one connection for all.`,
    proxyInFront:
      "A reverse proxy in front has to pass on Upgrade and Connection over HTTP/1.1, leave Authorization and NodePass-… fields alone, not buffer, and allow 30 s of silence (docs/proxies.md).",
    proxyEndsTls:
      "Where that proxy ends TLS, the client needs front=2 (certificate verified) or front=1.",
    proxySpeaksTls:
      "The proxy has to speak TLS to this end, too; where only the proxy is to have it, tls=0 and front=2 at the client.",
    oldClientsPath: "NodePass 1.14 clients ask for / and can't find this path.",
    path: (path: string): string => `Handshake and pool ask for the path ${path}.`,
    front: (front: 1 | 2): string =>
      `TLS ends in front of the server, in a reverse proxy or CDN: ${front === 2 ? "its certificate is verified, chain and name" : "any certificate will do there"}. Whoever runs it can read what is carried; who the server is, the key proves.`,
    via: (mode: ClientSettings["mode"], server: string, targets: string, via: Via): string => {
      const forwarder = `its TCP targets (${targets})`;
      const what = [
        `the server at ${server}, or by itself ${forwarder},`,
        forwarder,
        `the server at ${server}`,
      ][mode];
      const how =
        via === "env"
          ? "through the proxy that HTTPS_PROXY or ALL_PROXY names, unless NO_PROXY names the host"
          : `through the ${via.protocol === "http" ? "HTTP" : "SOCKS 5"} proxy ${via.address}${via.hasPassword ? ", with a user and password" : ""}`;
      return `It dials ${what} ${how}; names are resolved by the proxy.`;
    },
    noUdpByItself: "By itself it forwards no UDP: no proxy reaches UDP targets.",
    noQuicByProxy: "A server with type=1 (QUIC) can't be reached through a proxy.",
  },
  warnings: {
    quiet: "log=none: no log lines at all, and no check points either",
    noTls: "tls=0: whoever is on the way can read and change the traffic; tls=1 costs little",
    autoServer:
      "mode=0: whether a port is free decides what this does; mode=1 is always reverse, mode=2 always forward",
    autoClient:
      "mode=0: whether a port is free decides what this does; mode=1 is always single-end, mode=2 always a tunnel's client",
    noEffect: (setting: string, why: NoEffect): string => {
      const reasons: Readonly<Record<NoEffect, string>> = {
        dialsElsewhere: "with mode=1 the client dials the targets",
        usersElsewhere: "with mode=2 users connect at the client",
        noServer: "with mode=1 there is no server",
        noTcp: "it is for TCP, and notcp=1",
        noUdp: "it is for UDP, and noudp=1",
        noFiles: "certificate files are for tls=2",
        noMonth: "it is for a quota with /month",
        noChoice: "there is nothing to choose from",
      };
      return `${setting} has no effect: ${reasons[why]}`;
    },
    nothingCarried: "notcp=1 and noudp=1: nothing is carried",
    noKey: (keygen: string): string =>
      `no key: anybody who can reach the tunnel's port can join it; ${keygen} makes one`,
    shortKey: (characters: number, keygen: string): string =>
      `a key of ${characters} character${characters === 1 ? "" : "s"} can be guessed; ${keygen} makes one that can't be`,
  },
};

/** The sentences of a description in any language. */
export type DescriptionWords = typeof ENGLISH;
