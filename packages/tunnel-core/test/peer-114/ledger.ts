/** What a peer has seen and done; all since it was made. */
export interface PeerCounters {
  /** Sessions whose control connection stood. */
  sessions: number;
  /** Sessions that ended for another reason than this peer's `close()`. */
  sessionsLost: number;
  /** Handshake requests without `Authorization` but with `NodePass-Version` (not a violation). */
  unauthorizedRequests: number;
  /** Client: handshakes that the server answered with 401. */
  refusals: number;
  /** Handshake requests that came to the pool's listener (the other end thinks the session over). */
  strayHandshakes: number;
  /** Streams over HTTP/2 that nothing was left to serve. */
  unserved: number;
  /** Pool connections that got an id, control connections included. */
  poolOpened: number;
  /** Pool connections dropped: another IP address, past `max`, or (client) closed without an id. */
  poolDropped: number;
  /** Waits for a pool connection that ended without one. */
  poolTimeouts: number;
  /** TCP connections and UDP sessions carried. */
  tcps: number;
  udps: number;
  /** Now open among them. */
  openTcps: number;
  openUdps: number;
  /** Signals received. */
  pings: number;
  pongs: number;
  flushes: number;
  verifies: number;
  /** `verify` signals whose fingerprint did not match: each ended its session. */
  verifyMismatches: number;
  /** Signals that named the connection that this end had just taken for its own `verify`. */
  verifyCollisions: number;
  /** Signals that named a connection that a flush had closed. */
  staleClaims: number;
}

/** Violations and counters of one peer, over all its sessions. */
export class Ledger {
  readonly violations: string[] = [];
  readonly counters: PeerCounters = {
    sessions: 0,
    sessionsLost: 0,
    unauthorizedRequests: 0,
    refusals: 0,
    strayHandshakes: 0,
    unserved: 0,
    poolOpened: 0,
    poolDropped: 0,
    poolTimeouts: 0,
    tcps: 0,
    udps: 0,
    openTcps: 0,
    openUdps: 0,
    pings: 0,
    pongs: 0,
    flushes: 0,
    verifies: 0,
    verifyMismatches: 0,
    verifyCollisions: 0,
    staleClaims: 0,
  };

  /** Notes something that a 1.14 node would not have done. */
  violation(text: string): void {
    this.violations.push(text);
  }
}

/** A peer's waits; short ones keep tests quick. */
export interface PeerTimings {
  /** Pings, and a third of the silence that ends a session. @default 5000 */
  readonly reportIntervalMs: number;
  /** Longest wait for a pool connection or for an announced id. @default 5000 */
  readonly poolGetTimeoutMs: number;
  /** Wait before a node starts again after a session. @default 100 (1.14: 3000) */
  readonly cooldownMs: number;
  /** A UDP session without traffic ends. @default 30000 */
  readonly udpIdleMs: number;
  /** Server: how long no listener is open between the handshake and the pool. @default 5 */
  readonly listenerGapMs: number;
  /** Client: pace of the pool's refill. @default 100 and 1000 */
  readonly minPoolIntervalMs: number;
  readonly maxPoolIntervalMs: number;
  /** How long bytes or an EOF on an idle pool connection may wait for their signal. @default 2000 */
  readonly unsignalledMs: number;
  /** Entry: wait between taking a connection (data flows at once) and its signal. @default 0 */
  readonly signalDelayMs: number;
  /**
   * When this end closes the connection that its own `verify` names, before, with or after the line.
   * The real program closes it itself as soon as the line is queued, so that the close often arrives
   * first. `never` sends no `verify`. @default "with"
   */
  readonly verifyClose: "before" | "with" | "after" | "never";
}

export const DEFAULT_TIMINGS: PeerTimings = {
  reportIntervalMs: 5000,
  poolGetTimeoutMs: 5000,
  cooldownMs: 100,
  udpIdleMs: 30_000,
  listenerGapMs: 5,
  minPoolIntervalMs: 100,
  maxPoolIntervalMs: 1000,
  unsignalledMs: 2000,
  signalDelayMs: 0,
  verifyClose: "with",
};
