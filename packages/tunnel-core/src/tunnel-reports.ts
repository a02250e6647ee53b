import type { TunnelError } from "./errors.ts";
import type { LatencySnapshot } from "./latencies.ts";

/**
 * States of a tunnel.
 *
 * `starting` → `running` once it serves; `running` → `error` when the peer is lost or refuses, the
 * port is taken or the target address cannot be bound; `error` → `running` by itself when the
 * cause is gone; any → `closing` → `closed` by `close()` or `destroy()`.
 */
export type TunnelState = "starting" | "running" | "error" | "closing" | "closed";

/**
 * What is open, and what was carried. Bytes are payload on the local side of this end: at the entry
 * that is the user, at the exit the target. So what a user sends is in `tcprx` of the entry and in
 * `tcptx` of the exit; frames, TLS and PROXY headers are in neither.
 */
export interface Traffic {
  /** Open TCP connections. */
  readonly tcps: number;
  /** Open UDP sessions. */
  readonly udps: number;
  /** Bytes read from users (entry) or targets (exit) over TCP. */
  readonly tcprx: number;
  /** Bytes written to users (entry) or targets (exit) over TCP. */
  readonly tcptx: number;
  /** The same in datagrams' payload over UDP. */
  readonly udprx: number;
  readonly udptx: number;
}

/** Live counters, since the tunnel opened. */
export interface TunnelCounters extends Traffic {
  /** Idle pool connections. */
  readonly pool: number;
  /**
   * Last measured round trip to the peer (of several, to the farthest; single-end: connect time to the
   * first target that works), ms.
   */
  readonly ping: number;
  /**
   * Datagrams dropped because a queue was full, a session could not be opened, or a target refused
   * them.
   */
  readonly udpDropped: number;
  /** TCP connections that users have made at this end. */
  readonly accepted: number;
  /** At the end that dials: connections for which no target could be reached. */
  readonly failed: number;
  /** Users' TCP connections refused because no slot was free, and because none was of their address. */
  readonly refusedSlot: number;
  readonly refusedSlotip: number;
  /** Users' TCP connections cut because they speak a protocol of `block`. */
  readonly refusedBlocked: number;
  /** Users' TCP connections refused because no pool connection came in time. */
  readonly refusedPeer: number;
  /**
   * Connections, of users or at the tunnel port, and users' first datagrams refused because of their
   * address: by `allow` or `deny`.
   */
  readonly refusedDenied: number;
  /** Connections on a shared port that ask for a name which nobody serves there. */
  readonly refusedName: number;
  /** Connections of trusted proxies that did not say whose they are. */
  readonly refusedProxied: number;
  /** Connections at the tunnel port refused because their address is banned. */
  readonly refusedBanned: number;
  /** Dials of targets that failed, over TCP and UDP, those of the probe behind `ping` included. */
  readonly dialErrors: number;
  /** Handshakes of clients that were refused. */
  readonly handshakesRefused: number;
  /** Sessions with the peer after the first. */
  readonly reconnects: number;
}

/**
 * How long the steps of the work have taken, each time that one succeeded, since the tunnel opened: the
 * buckets of {@link LATENCY_BOUNDS_MS}.
 */
export interface TunnelLatencies {
  /** A user's dial of the targets, at the end that dials: look-up, every attempt, until one answers. */
  readonly dial: LatencySnapshot;
  /** Handshakes with the peer: at the client the whole exchange, at the server from its challenge on. */
  readonly handshake: LatencySnapshot;
  /** Pool connections that the client has made, TLS and the proof of who they are included. */
  readonly poolDial: LatencySnapshot;
  /** Users' waits for a pool connection, at the entry; 0 for who found one ready. */
  readonly poolWait: LatencySnapshot;
  /** First byte of the answer: at the entry from the user's connection on, at the exit from the target's. */
  readonly firstByte: LatencySnapshot;
}

/** What a check point says: the counters at a report interval and the mode the tunnel runs in. */
export interface CheckPoint extends TunnelCounters {
  /** Server: 1 reverse, 2 forward. Client: 1 single-end, 2 dual-end. 0 while undecided. */
  readonly mode: 0 | 1 | 2;
}

/** Whether one of several targets works; a single target never rests. */
export interface TargetState {
  /** `host:port` as in the URL. */
  readonly target: string;
  readonly protocol: "tcp" | "udp";
  /** It failed and has not worked since: others are taken before it. */
  readonly resting: boolean;
  /** Failures in a row, one for each rest. */
  readonly failures: number;
  /** Why it failed last; `undefined` if it works. */
  readonly reason: string | undefined;
}

/**
 * One of several peers: a client of a server with `clients` above 1, or one of several servers of a
 * client; its traffic since it has its number.
 */
export interface PeerState extends Traffic {
  /** From 1: the place of a client, the lowest that was free; of a server, its place in the URL. */
  readonly number: number;
  /** IP address of a client, `host:port` of a server. */
  readonly address: string;
  readonly connected: boolean;
  /** Why it is not connected; `undefined` if it is, or has not been tried. */
  readonly reason: string | undefined;
  /** Users it was given, over TCP and UDP. */
  readonly users: number;
  /** Idle pool connections. */
  readonly pool: number;
  /** ms; 0 while not known. */
  readonly ping: number;
}

/** Values of a log record; `undefined` ones are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One log record. Fixed lower-case text with the values as fields. */
export interface LogRecord {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** Where the parts of a tunnel write their records. */
export interface TunnelLog {
  log(level: LogRecord["level"], message: string, fields?: LogFields): void;
  /** For what strangers or a failing target can cause in any number: a few a second, then counts. */
  logLimited(level: LogRecord["level"], message: string, fields?: LogFields): void;
  /** For what goes on while a target is down: one a minute, then counts. The change is logged once. */
  logRarely(level: LogRecord["level"], message: string, fields?: LogFields): void;
}

/** One user's TCP connection at this end, as a program that runs a tunnel may want to hear of it. */
export interface ConnectionEvent {
  /** `opened`: both sides stand. `closed`: after that. `refused`: it never came to that. */
  readonly what: "opened" | "closed" | "refused";
  /** The user's address, `ip:port`, at either end. */
  readonly remote: string;
  /** `refused`, or cut by this end: why. */
  readonly reason: ConnectionRefusal | undefined;
  /** Bytes read from the user (entry) or the target (exit); 0 but for `closed`. */
  readonly receivedBytes: number;
  /** Bytes from the other side, to be written to the user (entry) or the target (exit). */
  readonly sentBytes: number;
}

/**
 * `denied`: its address may not come. `slots`: all of `slot` are taken; `address-slots`:
 * those of its address (`slotip`). `tcp-off`: `notcp=1` at this end. `pool-timeout`: no pool
 * connection in time. `target`: no target answers. `blocked`: it speaks a protocol of `block`.
 * `closing`: the tunnel closes. `gone`: the other side left before the connection stood.
 */
export type ConnectionRefusal =
  | "denied"
  | "address-slots"
  | "slots"
  | "tcp-off"
  | "pool-timeout"
  | "target"
  | "blocked"
  | "closing"
  | "gone";

/** What a tunnel tells, with the arguments of its listeners. */
export interface TunnelEvents {
  /** The state changed; for `error` (and an end by an error) `reason` and `error` say why. */
  state: [state: TunnelState, reason: string | undefined, error: TunnelError | undefined];
  checkpoint: [checkPoint: CheckPoint];
  log: [record: LogRecord];
  /** A session with the peer stands, or has ended; of several, whether one does, each time. */
  peer: [connected: boolean];
  /** A target has begun to rest, or serves again. */
  target: [state: TargetState];
  /** A user's TCP connection; nothing is made for it while nobody listens. */
  connection: [event: ConnectionEvent];
}
