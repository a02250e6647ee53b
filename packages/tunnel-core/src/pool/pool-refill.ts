import type { PoolWatcher } from "../conduit/conduit.ts";
import { TunnelError, type TunnelErrorCode } from "../errors.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { PoolDialer, PoolDialResult } from "./pool-dialer.ts";

/** Most pool connections being dialled at once. */
const MAX_DIALING = 128;
/** The same with TLS: a handshake is a millisecond of computing that users would wait for. */
const MAX_DIALING_TLS = 8;
/** Part of the capacity that has to be taken in a report interval to keep it. */
const KEEP_SHARE = 0.2;
/** What an idle interval leaves of the capacity. */
const SHRINK = 0.8;

/** What is filled. */
export interface Refillable {
  /** Idle pool connections. */
  readonly poolSize: number;
  addPoolConnection(stream: ByteStream, id: string, early?: Buffer): void;
}

export interface PoolRefillOptions {
  readonly context: Pick<TunnelContext, "limits" | "logLimited">;
  readonly dialer: Pick<PoolDialer, "dial" | "close">;
  readonly pool: Refillable;
  /** Pool connections have TLS. */
  readonly secure: boolean;
  readonly min: number;
  readonly max: number;
  /** A connection was refused because of who the server is: the session can't go on. */
  onFatal(error: Error): void;
  /** The control connection (id 00000000) has come. */
  onControl(stream: ByteStream, early: Buffer | undefined): void;
}

/**
 * Keeps a client's pool full: a new connection is dialled at the moment one is taken. Capacity
 * doubles when the pool runs empty and shrinks slowly when little is taken; idle connections are
 * never closed for it, since the server may be taking one at this moment.
 */
export class PoolRefill implements PoolDialResult, PoolWatcher {
  readonly #options: PoolRefillOptions;
  #capacity: number;
  #dialing = 0;
  #taken = 0;
  /** Connections opened since the capacity last grew: a burst counts once, not once a connection. */
  #openedSinceGrowth = 0;
  /** Connections lost unused since one was used, or since the last tick. */
  #lost = 0;
  readonly #maxDialing: number;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #controlSeen = false;
  #closed = false;

  constructor(options: PoolRefillOptions) {
    this.#options = options;
    this.#capacity = Math.min(options.min, options.max);
    this.#maxDialing = options.secure ? MAX_DIALING_TLS : MAX_DIALING;
  }

  /** Opens the control connection; the pool follows once it stands. */
  start(): void {
    this.#dialOne();
  }

  /** A connection has left the pool. */
  taken(): void {
    if (this.#closed) return;
    this.#taken++;
    this.#lost = 0;
    if (this.#options.pool.poolSize === 0 && this.#openedSinceGrowth >= this.#capacity) {
      this.#capacity = Math.min(this.#options.max, this.#capacity * 2);
      this.#openedSinceGrowth = 0;
    }
    this.#fill();
  }

  /**
   * A connection was lost without having been used. A pool that is lost as a whole (`flush`) is
   * filled at once; a path that cuts whatever is dialled is tried at the pace of the settings.
   */
  lost(): void {
    if (this.#closed) return;
    if (++this.#lost <= this.#capacity) this.#fill();
    else if (this.#short) this.#fillLater(this.#options.context.limits.maxPoolIntervalMs);
  }

  /** Once per report interval. */
  tick(): void {
    if (this.#taken < this.#capacity * KEEP_SHARE) {
      const least = Math.min(this.#options.min, this.#options.max);
      this.#capacity = Math.max(least, Math.floor(this.#capacity * SHRINK));
    }
    this.#taken = 0;
    this.#lost = 0;
    this.#fill();
  }

  get capacity(): number {
    return this.#capacity;
  }

  onOpen(stream: ByteStream, id: string, early: Buffer | undefined): void {
    this.#dialing--;
    this.#openedSinceGrowth++;
    this.#failures = 0;
    if (this.#closed) {
      stream.destroy();
      return;
    }
    if (!this.#controlSeen && id === "00000000") {
      this.#controlSeen = true;
      this.#options.onControl(stream, early);
    } else {
      this.#options.pool.addPoolConnection(stream, id, early);
    }
    this.#fill();
  }

  onFailed(error: Error): void {
    this.#dialing--;
    if (this.#closed) return;
    this.#failures++;
    const code = errorCode(error);
    this.#options.context.logLimited("debug", "pool connection failed", { error: error.message });
    if (FATAL.has(code) || (!this.#controlSeen && !TRANSIENT.has(code))) {
      this.#options.onFatal(error);
      return;
    }
    this.#fillLater(this.#retryDelay());
  }

  #fillLater(delayMs: number): void {
    if (this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#fill();
    }, delayMs);
  }

  /**
   * A 1.14 server closes its listener after the handshake and opens it again: the first retries
   * come soon, later ones at the pace of the settings.
   */
  #retryDelay(): number {
    const { minPoolIntervalMs, maxPoolIntervalMs } = this.#options.context.limits;
    const longest = this.#controlSeen ? maxPoolIntervalMs : minPoolIntervalMs;
    return Math.min(longest, 10 * 2 ** Math.min(this.#failures - 1, 10));
  }

  #fill(): void {
    if (this.#closed || this.#retry !== undefined) return;
    if (!this.#controlSeen) {
      if (this.#dialing === 0) this.#dialOne();
      return;
    }
    while (this.#short && this.#dialing < this.#maxDialing) this.#dialOne();
  }

  /** Fewer connections are ready or under way than there should be. */
  get #short(): boolean {
    return this.#options.pool.poolSize + this.#dialing < this.#capacity;
  }

  #dialOne(): void {
    this.#dialing++;
    this.#options.dialer.dial(this);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#options.dialer.close();
  }
}

/** The session can't go on, whatever has been of it: another server, or its counters are used up. */
const FATAL: ReadonlySet<string> = new Set<TunnelErrorCode>([
  "PEER_CERTIFICATE_MISMATCH",
  "HELLO_INVALID",
]);

/**
 * Failures that pass by themselves while a server restarts or opens its listener again. The last
 * two are a NodePass 1.14 server's HTTP listener that took the connection before it closed: it ends
 * it, or answers a TLS handshake in plain text.
 */
const TRANSIENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "PEER_LOST",
  "EPROTO",
]);

function errorCode(error: NodeJS.ErrnoException): string {
  return error instanceof TunnelError ? error.code : (error.code ?? "");
}
