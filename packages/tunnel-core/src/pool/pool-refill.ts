import type { PoolWatcher } from "../conduit/conduit.ts";
import { TunnelError, type TunnelErrorCode } from "../errors.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { PoolDialer, PoolDialResult } from "./pool-dialer.ts";

/** Most pool connections in the making, towards a server that expects many of its client. */
export const MAX_DIALING = 384;
/** The same towards others: the first release closes what is over 256 from one address. */
export const MAX_DIALING_UNSIZED = 192;
/** How many are in the making where there is no distance. */
const NEAR = { plain: 128, secure: 8 };
/**
 * How many more for each millisecond that the fastest of late took: so many can be computed in it,
 * while the others are on the road. A TLS handshake is about a millisecond of computing at each end.
 */
const PER_MS = { plain: 5, secure: 2 };
/** TLS handshakes that begin in one turn of the loop: users are served between. */
const SECURE_A_TURN = 8;
/** Part of the connections that nobody needed in a report interval which is given up after it. */
const SHRINK = 0.5;

/** What is filled. */
export interface Refillable {
  /** Idle pool connections. */
  readonly poolSize: number;
  addPoolConnection(stream: ByteStream, id: string, early?: Buffer): void;
  /** Has idle connections over `most` closed by who takes them, if that can be done. */
  keep(most: number): void;
}

export interface PoolRefillOptions {
  readonly context: Pick<TunnelContext, "latencies" | "limits" | "logLimited">;
  readonly dialer: Pick<PoolDialer, "dial" | "close">;
  readonly pool: Refillable;
  /** Pool connections have TLS. */
  readonly secure: boolean;
  readonly min: number;
  readonly max: number;
  /** Most connections in the making. */
  readonly maxDialing: number;
  /** A connection was refused because of who the server is: the session can't go on. */
  onFatal(error: Error): void;
  /** The control connection (id 00000000) has come. */
  onControl(stream: ByteStream, early: Buffer | undefined): void;
}

/**
 * Keeps a client's pool full: a new connection is dialled at the moment one is taken, and one for
 * each user that waits. Capacity doubles when the pool runs empty, and half of what nobody needed in
 * a report interval is given up after it. How many are in the making follows the distance.
 */
export class PoolRefill implements PoolDialResult, PoolWatcher {
  readonly #options: PoolRefillOptions;
  #capacity: number;
  #dialing = 0;
  /** Connections opened since the capacity last grew: a burst counts once, not once a connection. */
  #openedSinceGrowth = 0;
  /** Connections lost unused since one was used, or since the last tick. */
  #lost = 0;
  readonly #near: number;
  readonly #perMs: number;
  /** Connections that were opened, the control connection aside, and that users need in all. */
  #opened = 0;
  #needed = 0;
  /** Least idle connections since the last tick. */
  #least = 0;
  /** The fastest dial of the last report interval that had any, and of this one, ms. */
  #fastestBefore = 0;
  #fastest = Number.POSITIVE_INFINITY;
  /** TLS handshakes that may still begin in this turn of the loop. */
  #startsLeft = SECURE_A_TURN;
  #nextTurn: NodeJS.Immediate | undefined;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #controlSeen = false;
  #closed = false;

  constructor(options: PoolRefillOptions) {
    this.#options = options;
    this.#capacity = Math.min(options.min, options.max);
    const kind = options.secure ? "secure" : "plain";
    this.#near = NEAR[kind];
    this.#perMs = PER_MS[kind];
  }

  /** Opens the control connection; the pool follows once it stands. */
  start(): void {
    this.#dialOne();
  }

  /** A connection has left the pool. */
  taken(): void {
    if (this.#closed) return;
    this.#lost = 0;
    this.#least = Math.min(this.#least, this.#options.pool.poolSize);
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

  /** Users wait: the entry wants to have had so many connections in all. */
  needed(total: number): void {
    if (this.#closed || total <= this.#needed) return;
    this.#needed = total;
    this.#fill();
  }

  /** Once per report interval. */
  tick(): void {
    const { pool, min, max } = this.#options;
    if (this.#least > 0) {
      const unneeded = Math.ceil(this.#least * SHRINK);
      this.#capacity = Math.max(Math.min(min, max), this.#capacity - unneeded);
      const most = Math.max(this.#capacity, pool.poolSize - unneeded);
      if (pool.poolSize > most) pool.keep(most);
      this.#least = Math.min(pool.poolSize, most);
    } else {
      this.#least = pool.poolSize;
    }
    // `min` may have grown, `max` shrunk.
    this.#capacity = Math.min(max, Math.max(this.#capacity, min));
    if (this.#fastest !== Number.POSITIVE_INFINITY) this.#fastestBefore = this.#fastest;
    this.#fastest = Number.POSITIVE_INFINITY;
    this.#lost = 0;
    this.#fill();
  }

  /** Most connections in the making now: what can be computed, and what is on the road meanwhile. */
  get window(): number {
    const fastest = Math.min(this.#fastest, this.#fastestBefore || this.#fastest);
    const far = fastest === Number.POSITIVE_INFINITY ? 0 : Math.floor(fastest * this.#perMs);
    return Math.min(this.#options.maxDialing, this.#near + far);
  }

  get capacity(): number {
    return this.#capacity;
  }

  onOpen(stream: ByteStream, id: string, early: Buffer | undefined, tookMs: number): void {
    this.#dialing--;
    this.#fastest = Math.min(this.#fastest, tookMs);
    this.#options.context.latencies.poolDial.observe(tookMs);
    // Those that users wait for are no reason to keep more ready.
    if (this.#opened >= this.#needed) this.#openedSinceGrowth++;
    this.#failures = 0;
    if (this.#closed) {
      stream.destroy();
      return;
    }
    if (!this.#controlSeen && id === "00000000") {
      this.#controlSeen = true;
      this.#options.onControl(stream, early);
    } else {
      this.#opened++;
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
    if (NO_DESCRIPTORS.has(code)) this.#giveUpIdle();
    this.#fillLater(this.#retryDelay());
  }

  /**
   * The process has no descriptor left: what is idle is given back, and who waits is served by what
   * others give back, not by dials that would take each one that becomes free.
   */
  #giveUpIdle(): void {
    const { pool, min, max } = this.#options;
    this.#needed = Math.min(this.#needed, this.#opened);
    this.#capacity = Math.min(min, max);
    if (pool.poolSize > this.#capacity) pool.keep(this.#capacity);
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
    const { window } = this;
    const { secure } = this.#options;
    while (this.#short && this.#dialing < window) {
      if (secure && this.#startsLeft-- <= 0) {
        this.#nextTurn ??= setImmediate(() => {
          this.#nextTurn = undefined;
          this.#startsLeft = SECURE_A_TURN;
          this.#fill();
        });
        return;
      }
      this.#dialOne();
    }
  }

  /** Fewer connections are ready or under way than there should be. */
  get #short(): boolean {
    const { pool, max } = this.#options;
    const ready = pool.poolSize + this.#dialing;
    if (ready >= max) return false;
    return ready < this.#capacity || this.#opened + this.#dialing < this.#needed;
  }

  #dialOne(): void {
    this.#dialing++;
    this.#options.dialer.dial(this);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearImmediate(this.#nextTurn);
    this.#options.dialer.close();
  }
}

/** The session can't go on, whatever has been of it: another server, or its counters are used up. */
const FATAL: ReadonlySet<string> = new Set<TunnelErrorCode>([
  "PEER_CERTIFICATE_MISMATCH",
  "HELLO_INVALID",
]);

/** The process, or the system, can open nothing more. */
const NO_DESCRIPTORS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);

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
