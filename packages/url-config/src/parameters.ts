import { quota } from "./quota-kind.ts";
import type { Rates, Settings } from "./settings.ts";
import {
  addressRules,
  balance,
  blockDigits,
  dialAddress,
  digit,
  duration,
  filePath,
  flag,
  hostNames,
  httpPath,
  oneOf,
  proxy,
  rates,
  serverName,
  type ValueKind,
  wholeNumber,
} from "./value-kinds.ts";

/** What a NodePass URL may start with. */
export type Scheme = Settings["scheme"];

/** One line of the table of parameters, for help texts and documents. */
export interface ParameterDescription {
  readonly name: string;
  /** The schemes that take it. */
  readonly schemes: readonly Scheme[];
  /** The default as a URL would give it; `undefined` if there is none. */
  readonly defaultText: string | undefined;
  /** What is accepted, in words. */
  readonly allowed: string;
  readonly meaning: string;
}

/** A parameter as the parser needs it. */
export interface ParameterDefinition<T> extends ParameterDescription, ValueKind<T> {
  readonly defaultValue: T;
}

/** Mbit/s to bytes per second. */
export const bytesPerSecondOfMegabit = 125_000;

const everywhere = ["server", "client", "master"] as const;
const tunnels = ["server", "client"] as const;
const listeners = ["server", "master"] as const;

const noRates: Rates = { upBytesPerSecond: 0, downBytesPerSecond: 0 };

/**
 * Every query parameter, in the order of the documents. The parser knows no other and has no second
 * list of defaults or limits.
 */
export const parameters = {
  log: define("log", everywhere, "info", "info", {
    ...oneOf(["none", "debug", "info", "warn", "error", "event"]),
    meaning: "least level of log lines; event shows check points only, none nothing",
  }),
  tls: define("tls", listeners, 0, "0", {
    ...digit([0, 1, 2]),
    meaning: "0 no TLS, 1 self-signed certificate made in memory, 2 certificate from crt and key",
  }),
  crt: define("crt", listeners, undefined, undefined, {
    ...filePath(),
    meaning: "PEM certificate file for tls=2",
  }),
  key: define("key", listeners, undefined, undefined, {
    ...filePath(),
    meaning: "PEM private key file for tls=2",
  }),
  min: define("min", ["client"], 64, "64", {
    ...wholeNumber(1, 65_535),
    meaning: "least idle pool connections (dual-end)",
  }),
  max: define("max", ["server"], 1024, "1024", {
    ...wholeNumber(1, 65_535),
    meaning: "most idle pool connections; handed to the client",
  }),
  mode: define("mode", tunnels, 0, "0", {
    ...digit([0, 1, 2]),
    meaning: "server: 0 auto, 1 reverse, 2 forward; client: 0 auto, 1 single-end, 2 dual-end",
  }),
  read: define("read", tunnels, 600_000, "10m0s", {
    ...duration(0),
    meaning: "close a relayed connection after this time without a byte; 0 = never",
  }),
  rate: define("rate", tunnels, noRates, "0", {
    ...rates(1_000_000, bytesPerSecondOfMegabit),
    meaning: "Mbit/s for the instance, each direction on its own; 0 = no limit",
  }),
  proxy: define("proxy", tunnels, 0, "0", {
    ...digit([0, 1, 2]),
    meaning:
      "PROXY protocol header to the target: 1 version 1, over TCP; 2 version 2, over UDP too",
  }),
  slot: define("slot", tunnels, 65_536, "65536", {
    ...wholeNumber(0, 1_000_000),
    meaning: "most concurrent TCP connections and UDP sessions together; 0 = no limit",
  }),
  dns: define("dns", tunnels, 300_000, "5m0s", {
    ...duration(0),
    meaning: "how long a resolved name is kept; 0 = look up at each dial",
  }),
  sni: define("sni", ["client"], undefined, "none", {
    ...serverName(),
    meaning: "server name for TLS and the handshake; none = the tunnel's host name",
  }),
  dial: define("dial", tunnels, "auto", "auto", {
    ...dialAddress(),
    meaning: "local IP address to dial the target from",
  }),
  block: define("block", tunnels, { socks: false, http: false, tls: false }, "0", {
    ...blockDigits(),
    meaning: "close connections that start so: 1 SOCKS, 2 HTTP, 3 TLS",
  }),
  notcp: define("notcp", tunnels, true, "0", { ...flag("0"), meaning: "1 = no TCP" }),
  noudp: define("noudp", tunnels, true, "0", { ...flag("0"), meaning: "1 = no UDP" }),
  type: define("type", ["server"], 0, "0", {
    ...digit([0, 1, 2, 3]),
    meaning:
      "kind of pool: 0 TCP, 1 QUIC, 2 WebSocket, 3 HTTP/2; handed to the client; 1 and 3 make tls=0 to tls=1",
  }),
  clients: define("clients", ["server"], 1, "1", {
    ...wholeNumber(1, 1024),
    meaning: "clients that may have the tunnel at once, each with its own session",
  }),
  lanes: define("lanes", ["server"], 4, "4", {
    ...wholeNumber(0, 64),
    meaning:
      "pool connections that many users share; handed to the client; 0 = each user has one of his own",
  }),
  path: define("path", tunnels, "/", "/", {
    ...httpPath(),
    meaning: "HTTP path of handshake and WebSocket or HTTP/2 pool, the same at both ends",
  }),
  front: define("front", ["client"], 0, "0", {
    ...digit([0, 1, 2]),
    meaning:
      "TLS that ends in front of the server (nginx, a CDN): 0 none, 1 any certificate, 2 certificate verified",
  }),
  via: define("via", ["client"], undefined, "none", {
    ...proxy(),
    meaning:
      "proxy to dial through: the server (dual-end) or TCP targets (single-end); env = HTTPS_PROXY, ALL_PROXY, NO_PROXY",
  }),
  compat: define("compat", tunnels, true, "1", {
    ...flag("1"),
    meaning: "0 = refuse peers that cannot prove themselves (NodePass 1.14 nodes)",
  }),
  ui: define("ui", ["master"], true, "1", {
    ...flag("1"),
    meaning: "1 = a dashboard at / and under the prefix, 0 = none",
  }),
  allow: define("allow", everywhere, [], undefined, {
    ...addressRules(),
    meaning: "only these addresses may come: as users, to the tunnel port, to the API",
  }),
  deny: define("deny", everywhere, [], undefined, {
    ...addressRules(),
    meaning: "these addresses may not come, whatever allow says",
  }),
  lbs: define("lbs", tunnels, undefined, undefined, {
    ...balance(),
    meaning:
      "which of several targets, or of a server's clients, gets the next user: 0 in turn, 1 lowest latency, 2 the first that works",
  }),
  sticky: define("sticky", tunnels, false, "0", {
    ...flag("1"),
    guards: true,
    meaning: "1 = users of one address get the same of several targets, as long as it works",
  }),
  trust: define("trust", tunnels, [], undefined, {
    ...addressRules(),
    allowed: "none, or with commas: an IP address, a block such as 10.0.0.0/8, or file:PATH",
    meaning: "proxies whose PROXY protocol header says, at the users' port, who the user is",
  }),
  rateconn: define("rateconn", tunnels, noRates, "0", {
    ...rates(1_000_000, bytesPerSecondOfMegabit),
    guards: true,
    meaning: "Mbit/s for each connection, each direction on its own; 0 = no limit",
  }),
  slotip: define("slotip", tunnels, 0, "0", {
    ...wholeNumber(0, 1_000_000),
    guards: true,
    meaning: "most connections and UDP sessions of one address (of an IPv6 /64); 0 = no limit",
  }),
  udpidle: define("udpidle", tunnels, 0, "0s", {
    ...duration(0),
    guards: true,
    meaning: "a UDP session without traffic ends after this; 0 = NP_UDP_READ_TIMEOUT",
  }),
  quota: define("quota", tunnels, undefined, undefined, {
    ...quota(),
    meaning: "most bytes, both ways together; a master counts them and stops the instance",
  }),
  quotaday: define("quotaday", tunnels, 1, "1", {
    ...wholeNumber(1, 28),
    guards: true,
    meaning: "day of the month on which a monthly quota begins anew, in UTC",
  }),
  host: define("host", ["server"], [], undefined, {
    ...hostNames(),
    meaning:
      "takes users by the name they ask for (SNI, HTTP Host), on a users' port that several share",
  }),
  ban: define("ban", ["server"], false, "0", {
    ...flag("1"),
    guards: true,
    meaning: "1 = addresses whose proofs fail are refused at the tunnel port for a while",
  }),
  mcp: define("mcp", ["master"], 1, "1", {
    ...digit([0, 1, 2]),
    meaning: "agents over MCP at /v2 under the prefix: 0 none, 1 all tools, 2 tools that only read",
  }),
} as const;

/**
 * Every parameter of every scheme, from the table that the parser itself uses.
 *
 * @example
 * describeParameters()[0]?.allowed; // "none, debug, info, warn, error, event"
 */
export function describeParameters(): readonly ParameterDescription[] {
  return Object.values(parameters).map(({ name, schemes, defaultText, allowed, meaning }) => ({
    name,
    schemes,
    defaultText,
    allowed,
    meaning,
  }));
}

function define<T>(
  name: string,
  schemes: readonly Scheme[],
  defaultValue: NoInfer<T>,
  defaultText: string | undefined,
  rest: ValueKind<T> & { readonly meaning: string },
): ParameterDefinition<T> {
  return { name, schemes, defaultValue, defaultText, ...rest };
}
