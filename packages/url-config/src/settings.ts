/** Log levels of a NodePass URL, least first; `event` shows check points only, `none` nothing. */
export type LogLevel = "none" | "debug" | "info" | "warn" | "error" | "event";

/** 0 no TLS, 1 self-signed certificate made in memory, 2 certificate from `crt` and `key` files. */
export type TlsMode = 0 | 1 | 2;

/** `host:port`; an empty host means all interfaces (IPv6 without brackets). */
export interface HostPort {
  readonly host: string;
  /** 1 to 65 535; 0 lets the system choose (listening addresses only). */
  readonly port: number;
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
  /** At least one; the exit takes them in turn, the entry listens on the first. */
  readonly targets: readonly HostPort[];
  /** Close a relayed connection after this long without a byte in either direction, ms; 0 = never. */
  readonly readTimeoutMs: number;
  /** Bytes per second for the instance, each direction on its own; 0 = no limit. */
  readonly rateBytesPerSecond: number;
  /** Send a PROXY protocol v1 header to the target. */
  readonly proxy: boolean;
  /** Most concurrent TCP connections and UDP sessions together; 0 = no limit. */
  readonly slot: number;
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
  /** Kind of pool: 0 TCP (1 QUIC, 2 WebSocket and 3 HTTP/2 are refused for now). */
  readonly type: 0;
}

/** `client://[key@]tunnel/target[,target…]?…`, every default filled in. */
export interface ClientSettings extends TunnelSettings {
  readonly scheme: "client";
  /** Least idle pool connections. */
  readonly min: number;
  /** 0 auto, 1 single-end forwarding, 2 dual-end. */
  readonly mode: 0 | 1 | 2;
  /** Server name for TLS and for the handshake's Host; `undefined` = the tunnel's host name. */
  readonly sni: string | undefined;
}

/** `master://host:port/prefix?…`, every default filled in. */
export interface MasterSettings {
  readonly scheme: "master";
  readonly log: LogLevel;
  readonly listen: HostPort;
  /** Path prefix of the API, with a leading and no trailing slash. @default "/api" */
  readonly prefix: string;
  readonly tls: TlsMode;
  readonly crt: string | undefined;
  readonly keyFile: string | undefined;
}

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
  /** `NP_RELOAD_INTERVAL`: state backup, certificate reload. @default 3600000 */
  readonly reloadIntervalMs: number;
}
