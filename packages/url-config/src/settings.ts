/** Log levels of a NodePass URL, least first; `event` shows check points only, `none` nothing. */
export type LogLevel = "none" | "debug" | "info" | "warn" | "error" | "event";

/** 0 no TLS, 1 self-signed certificate made in memory, 2 certificate from `crt` and `key` files. */
export type TlsMode = 0 | 1 | 2;

/** Agents over MCP: 0 none, 1 all tools, 2 those that only read. */
export type McpMode = 0 | 1 | 2;

/** Kind of pool: 0 TCP, 1 QUIC, 2 WebSocket, 3 HTTP/2. */
export type PoolType = 0 | 1 | 2 | 3;

/** How users are spread (`lbs`, as in NodePass 2): 0 in turn, 1 lowest latency, 2 primary and backup. */
export type BalanceMode = 0 | 1 | 2;

/** `host:port`; an empty host means all interfaces (IPv6 without brackets). */
export interface HostPort {
  readonly host: string;
  /** 1 to 65 535; 0 lets the system choose (listening addresses only). */
  readonly port: number;
  /** Of a range of ports, the last one; above `port`. */
  readonly lastPort?: number | undefined;
  /** Of a target, how many turns it has where another has one, 1 to 100. @default 1 */
  readonly weight?: number | undefined;
}

/** Bytes per second, 0 = no limit. */
export interface Rates {
  /** From users to targets. */
  readonly upBytesPerSecond: number;
  /** From targets to users. */
  readonly downBytesPerSecond: number;
}

/** Bytes that an instance may carry, both ways together, in a period of UTC. */
export interface Quota {
  readonly bytes: number;
  /** `ever`: for good. */
  readonly period: "day" | "month" | "ever";
}

/** Protocols whose connections an entry closes, from the digits of `block`. */
export interface BlockedProtocols {
  readonly socks: boolean;
  readonly http: boolean;
  readonly tls: boolean;
}

/** What server and client URLs share. Durations in ms, rates in bytes/s. */
export interface TunnelSettings {
  readonly log: LogLevel;
  /** Secret of the tunnel: the URL's user name, else FNV-1a 32 of the tunnel port's digits. */
  readonly key: string;
  /** Whether `key` was given; a derived key keeps nobody out. */
  readonly keyGiven: boolean;
  /** The tunnel address: the server listens on it, the client dials it. */
  readonly tunnel: HostPort;
  /**
   * At least one; the exit takes them in turn, the entry listens on the first. Of ranges the n-th port
   * at the entry leads to the n-th of the target; a target with one port takes all of them.
   */
  readonly targets: readonly HostPort[];
  /**
   * Which of several targets gets the next user, `undefined`: in turn; where a server's users come, which
   * of its clients, `undefined`: the one with the fewest connections.
   */
  readonly lbs: BalanceMode | undefined;
  /** A user's address decides which target he gets, as long as that works. */
  readonly sticky: boolean;
  /** Close a relayed connection after this long without a byte in either direction, ms; 0 = never. */
  readonly readTimeoutMs: number;
  /** Bytes per second for the instance, each direction on its own; 0 = no limit. */
  readonly rateBytesPerSecond: number;
  /** From targets to users, where that differs: the other is from users to targets then. */
  readonly rateDownBytesPerSecond: number | undefined;
  /** For each TCP connection and UDP session on its own. */
  readonly connectionRates: Rates;
  /** Send a PROXY protocol header to the target. */
  readonly proxy: boolean;
  /** Of this version: 1 over TCP, 2 over TCP and in front of each datagram. */
  readonly proxyVersion: 1 | 2;
  /**
   * Who is trusted to say, by a PROXY protocol header of either version, whose connection or datagram
   * it passes on to the users' port: networks and files as in `allow`. Empty: nobody.
   */
  readonly trust: readonly string[];
  /** Most concurrent TCP connections and UDP sessions together; 0 = no limit. */
  readonly slot: number;
  /** Most of them from one address (of IPv6 from one /64); 0 = no limit. */
  readonly slotPerAddress: number;
  /** Counted by a master, which stops the instance when it is used up; no effect elsewhere. */
  readonly quota: Quota | undefined;
  /** Day of the month on which a monthly quota begins anew, 1 to 28. */
  readonly quotaDay: number;
  /** A UDP session without traffic for this long ends, ms; 0 = `NP_UDP_READ_TIMEOUT`. */
  readonly udpIdleMs: number;
  /** How long a resolved name is kept, ms; 0 = resolve at each dial. */
  readonly dnsTtlMs: number;
  /** Local IP address to dial the target from, or `auto`. */
  readonly dial: string;
  readonly block: BlockedProtocols;
  /** False with `notcp=1`. */
  readonly tcp: boolean;
  /** False with `noudp=1`. */
  readonly udp: boolean;
  /** False with `compat=0`: refuse peers that cannot prove themselves (NodePass 1.14 nodes). */
  readonly compat: boolean;
  /** HTTP path of handshake and pool, the same at both ends. Begins with `/`. */
  readonly path: string;
  /**
   * Who may come, see `AddressRule`: networks, and files of them. Empty: everybody. Of the items for
   * one port (`all` and its own) one has to fit, if there is any.
   */
  readonly allow: readonly string[];
  /** Who may not come, in the same way; it wins over `allow`. */
  readonly deny: readonly string[];
}

/** `server://[key@]tunnel/target[,target…]?…`, every default filled in. */
export interface ServerSettings extends TunnelSettings {
  readonly scheme: "server";
  readonly tls: TlsMode;
  /** PEM certificate file, with `tls` 2. */
  readonly crt: string | undefined;
  /** PEM private key file, with `tls` 2. */
  readonly keyFile: string | undefined;
  /** Most idle pool connections; handed to the client. */
  readonly max: number;
  /** 0 auto, 1 reverse, 2 forward. */
  readonly mode: 0 | 1 | 2;
  /** Kind of pool: 0 TCP, 1 QUIC, 2 WebSocket, 3 HTTP/2. With 1 and 3 `tls` is never 0. */
  readonly type: PoolType;
  /** Clients that may have the tunnel at once. */
  readonly clients: number;
  /** Pool connections that many users share (lanes), 0 to 64; handed to the client. 0: none. */
  readonly lanes: number;
  /**
   * Names whose users are this instance's, on a users' port that several share: lower case, `*.` before
   * one for all below it. Empty: it has the port alone, or gets what no other names.
   */
  readonly hosts: readonly string[];
  /** Addresses whose proofs fail are refused for a while. */
  readonly ban: boolean;
}

/** `client://[key@]tunnel[,tunnel…]/target[,target…]?…`, every default filled in. */
export interface ClientSettings extends TunnelSettings {
  readonly scheme: "client";
  /** The tunnel addresses after the first, of servers that serve the same; none in single-end mode. */
  readonly otherServers: readonly HostPort[];
  /** Least idle pool connections. */
  readonly min: number;
  /** 0 auto, 1 single-end forwarding, 2 dual-end. */
  readonly mode: 0 | 1 | 2;
  /** Server name for TLS and for the handshake's Host; `undefined` = the tunnel's host name. */
  readonly sni: string | undefined;
  /**
   * TLS that ends in front of the server, in a reverse proxy or a CDN: 0 none, 1 with any
   * certificate, 2 with chain and name verified. The client speaks it to the tunnel address, and the
   * server behind it may know nothing of it.
   */
  readonly front: TlsMode;
  /** How the client gets out: `undefined` directly, through a proxy, or as the environment says. */
  readonly via: ProxyAddress | "env" | undefined;
}

/** A proxy that connections are dialled through. */
export interface ProxyAddress {
  /** HTTP CONNECT (RFC 9110, section 9.3.6) or SOCKS 5 (RFC 1928). */
  readonly protocol: "http" | "socks5";
  readonly host: string;
  readonly port: number;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
}

/** `master://host:port/prefix?…`, every default filled in. */
export interface MasterSettings {
  readonly scheme: "master";
  readonly log: LogLevel;
  readonly listen: HostPort;
  /** Path prefix of the API, with a leading and no trailing slash. @default "/api" */
  readonly prefix: string;
  /** Who may connect to the API, as in `TunnelSettings`. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly tls: TlsMode;
  readonly crt: string | undefined;
  readonly keyFile: string | undefined;
  /** What agents may do over MCP. @default 1 */
  readonly mcp: McpMode;
  /** Whether the dashboard is served. @default true */
  readonly ui: boolean;
}

/** What a URL says, by its scheme: times in ms, sizes in bytes, rates in bytes/s. */
export type Settings = ServerSettings | ClientSettings | MasterSettings;

/** The environment variables (`NP_*`) as typed limits. Durations in ms, sizes in bytes. */
export interface EnvironmentSettings {
  /** `NP_SEMAPHORE_LIMIT`: most queued signals. @default 65536 */
  readonly semaphoreLimit: number;
  /** `NP_TCP_DATA_BUF_SIZE`: bulk read buffer, bytes. @default 524288 */
  readonly tcpDataBufferBytes: number;
  /** `NP_UDP_DATA_BUF_SIZE`: most bytes queued for one UDP session. @default 4194304 */
  readonly udpDataBufferBytes: number;
  /** `NP_HANDSHAKE_TIMEOUT` @default 5000 */
  readonly handshakeTimeoutMs: number;
  /** `NP_TCP_DIAL_TIMEOUT` @default 5000 */
  readonly tcpDialTimeoutMs: number;
  /** `NP_UDP_DIAL_TIMEOUT` @default 5000 */
  readonly udpDialTimeoutMs: number;
  /** `NP_UDP_READ_TIMEOUT`: a UDP session without traffic ends. @default 30000 */
  readonly udpReadTimeoutMs: number;
  /** `NP_POOL_GET_TIMEOUT`: longest wait for a pool connection. @default 5000 */
  readonly poolGetTimeoutMs: number;
  /** `NP_MIN_POOL_INTERVAL`: pacing of refill attempts that fail. @default 100 */
  readonly minPoolIntervalMs: number;
  /** `NP_MAX_POOL_INTERVAL` @default 1000 */
  readonly maxPoolIntervalMs: number;
  /** `NP_REPORT_INTERVAL`: pings and check points. @default 5000 */
  readonly reportIntervalMs: number;
  /** `NP_SERVICE_COOLDOWN`: longest wait before a restart. @default 3000 */
  readonly serviceCooldownMs: number;
  /** `NP_SHUTDOWN_TIMEOUT`: graceful stop. @default 5000 */
  readonly shutdownTimeoutMs: number;
  /** `NP_FALLBACK_INTERVAL`: a target that failed is tried again, with `lbs=1`, `lbs=2` or `sticky`. @default 300000 */
  readonly fallbackIntervalMs: number;
  /** `NP_RELOAD_INTERVAL`: state backup of a master. @default 3600000 */
  readonly reloadIntervalMs: number;
}
