import { TunnelError } from "../errors.ts";

/** Time worth of one turn: long against the 1 ms of a timer, short against a user's patience. */
const QUANTUM_MS = 10;
/** A read below this costs more in calls than it gains in smoothness. */
const MIN_QUANTUM_BYTES = 4 * 1024;
/** A read above this gains nothing and only holds memory. */
const MAX_QUANTUM_BYTES = 512 * 1024;
/** Where the largest quantum is shorter than this, a turn is this long: ticks are 1 ms apart. */
const MIN_TURN_MS = 4;
/** What an idle bucket saves up for the next sender. */
const IDLE_SAVINGS_MS = 50;
/** What a busy bucket saves up: a late timer or a blocked loop must not cost rate. */
const BUSY_SAVINGS_MS = 1000;
/** How long after its last tick a bucket counts as busy though nobody waits. */
const BUSY_MS = 250;
/** Longest sleep; a longer debt is slept off in parts. */
const MAX_DELAY_MS = 1000;

/** Who waits for tokens. `onTokens` may be called once per `wait`. */
export interface TokenWaiter {
  onTokens(): void;
  /** Set by the bucket while queued. */
  queued: boolean;
}

export interface TokenBucketOptions {
  /** Monotonic clock in milliseconds, with fractions. @default performance.now */
  readonly now?: (() => number) | undefined;
}

/**
 * Limits the sum of everything that is read in one direction of an instance.
 *
 * Works with debt: a read of any size passes and is subtracted; a source whose `take` returns
 * false stops reading and queues with `wait`. The queue is served in order, in turns: the head is
 * called when a whole turn of tokens is there, so a source of small datagrams gets as many bytes
 * out of its turn as one of large chunks. A late tick calls as many as there are turns saved up.
 * A called source that has nothing to read costs the next one a millisecond, not its turn.
 *
 * There is one timer, and only while somebody waits. It keeps the process alive: work waits on it.
 */
export class TokenBucket {
  /** Best size of one read at this rate, bytes (rate × 10 ms, 4 KiB to 512 KiB). */
  quantumBytes = 0;
  #bytesPerMs = 0;
  #turnBytes = 0;
  #idleSavings = 0;
  readonly #now: () => number;
  /** In order of arrival; a Set, so that `cancel` finds its waiter at once. */
  readonly #waiting = new Set<TokenWaiter>();
  /** Kept between ticks: a fresh iterator would step over every deleted entry again. */
  #head: SetIterator<TokenWaiter> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #tokens: number;
  #countedAt: number;
  #tickedAt = Number.NEGATIVE_INFINITY;
  /** How many the last tick called. */
  #called = 0;
  /** Bytes taken in a row while others want to send too. */
  #rowBytes = 0;
  #destroyed = false;

  /**
   * @param bytesPerSecond the rate, above 0
   * @throws {TunnelError} `INVALID_OPTIONS` if the rate is not a positive number
   */
  constructor(bytesPerSecond: number, options: TokenBucketOptions = {}) {
    this.#setRate(bytesPerSecond);
    this.#now = options.now ?? (() => performance.now());
    this.#countedAt = this.#now();
    this.#tokens = this.#bytesPerMs * QUANTUM_MS;
  }

  /**
   * Another rate from now on; who waits goes on waiting, by the new one.
   *
   * @throws {TunnelError} `INVALID_OPTIONS` if the rate is not a positive number
   */
  setRate(bytesPerSecond: number): void {
    this.#refill();
    this.#setRate(bytesPerSecond);
    // A debt that was made at another rate is not slept off for hours at this one.
    const limit = this.#bytesPerMs * MAX_DELAY_MS;
    this.#tokens = Math.max(-limit, Math.min(this.#tokens, this.#idleSavings));
    if (this.#timer === undefined) return;
    this.#disarm();
    this.#arm();
  }

  #setRate(bytesPerSecond: number): void {
    if (!(bytesPerSecond > 0 && Number.isFinite(bytesPerSecond))) {
      throw new TunnelError(
        "INVALID_OPTIONS",
        `bytesPerSecond is ${bytesPerSecond}, must be a number above 0`,
      );
    }
    this.#bytesPerMs = bytesPerSecond / 1000;
    const ideal = Math.round(this.#bytesPerMs * QUANTUM_MS);
    this.quantumBytes = Math.min(MAX_QUANTUM_BYTES, Math.max(MIN_QUANTUM_BYTES, ideal));
    // Whole reads: with a remainder, some turns would be one read longer than others.
    const readsPerTurn = Math.ceil((this.#bytesPerMs * MIN_TURN_MS) / this.quantumBytes);
    this.#turnBytes = this.quantumBytes * readsPerTurn;
    this.#idleSavings = Math.max(2 * this.quantumBytes, this.#bytesPerMs * IDLE_SAVINGS_MS);
  }

  /**
   * Takes `bytes`, into debt if need be.
   *
   * `take(0)` takes nothing and asks whether a new source may start without queueing. Sources that
   * ask it before their first read keep a stream of short connections from passing the queue by.
   *
   * @returns true: go on reading; false: stop reading and call `wait`
   */
  take(bytes: number): boolean {
    if (this.#destroyed) return true;
    this.#refill();
    this.#tokens -= bytes;
    if (this.#tokens <= 0) {
      this.#rowBytes = 0;
      return false;
    }
    if (bytes === 0) return this.#waiting.size === 0;
    if (this.#waiting.size === 0 && this.#called < 2) return true;
    // Others want to send: what a late tick saved up for several is not for the first alone.
    this.#rowBytes += bytes;
    if (this.#rowBytes < this.#turnBytes) return true;
    this.#rowBytes = 0;
    return false;
  }

  /** Queues at the end; `onTokens` is called when its turn has come. No-op if queued. */
  wait(waiter: TokenWaiter): void {
    if (this.#destroyed || this.#waiting.has(waiter)) return;
    waiter.queued = true;
    this.#waiting.add(waiter);
    if (this.#timer === undefined) {
      this.#refill();
      this.#arm();
    }
  }

  /** Leaves the queue. No-op if not queued. */
  cancel(waiter: TokenWaiter): void {
    if (!this.#waiting.delete(waiter)) return;
    waiter.queued = false;
    if (this.#waiting.size === 0) this.#disarm();
  }

  /** From now on nothing is limited: calls all who wait. */
  lift(): void {
    const waiting = [...this.#waiting];
    this.destroy();
    for (const waiter of waiting) waiter.onTokens();
  }

  /** Drops all waiters without calling them; from now on nothing is limited. Idempotent. */
  destroy(): void {
    this.#destroyed = true;
    this.#disarm();
    for (const waiter of this.#waiting) waiter.queued = false;
    this.#waiting.clear();
    this.#head = undefined;
  }

  #refill(): void {
    const now = this.#now();
    const elapsed = now - this.#countedAt;
    if (elapsed <= 0) return;
    const busy = this.#waiting.size > 0 || now - this.#tickedAt <= BUSY_MS;
    const savings = busy
      ? Math.max(this.#idleSavings, this.#bytesPerMs * BUSY_SAVINGS_MS)
      : this.#idleSavings;
    this.#tokens = Math.min(this.#tokens + elapsed * this.#bytesPerMs, savings);
    this.#countedAt = now;
  }

  #arm(): void {
    const missingMs = Math.ceil((this.#turnBytes - this.#tokens) / this.#bytesPerMs);
    const delay = Math.min(MAX_DELAY_MS, Math.max(1, missingMs));
    this.#timer = setTimeout(this.#tick, delay);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    this.#refill();
    this.#tickedAt = this.#countedAt;
    try {
      // Node counts a timer from the start of the loop's turn, so it may come a little early.
      if (this.#tokens >= this.#turnBytes - this.#bytesPerMs) this.#callTurn();
    } finally {
      // Also when a waiter throws: its fault must not stop the others.
      if (this.#timer === undefined && this.#waiting.size > 0) this.#arm();
    }
  };

  #callTurn(): void {
    const turns = Math.max(1, Math.floor(this.#tokens / this.#turnBytes));
    this.#rowBytes = 0;
    this.#called = Math.min(turns, this.#waiting.size);
    for (let left = this.#called; left > 0; left--) this.#callHead();
  }

  #callHead(): void {
    this.#head ??= this.#waiting.values();
    const { value: waiter } = this.#head.next();
    if (waiter === undefined) {
      this.#head = undefined;
      return;
    }
    this.#waiting.delete(waiter);
    waiter.queued = false;
    waiter.onTokens();
  }
}
