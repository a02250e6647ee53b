/**
 * Upper bounds of the buckets of every latency histogram, ms: from a dial on the machine itself to the
 * limits of dials, handshakes and waits for the pool (5 s).
 */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze([
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000,
]);

/** How long something took, each time it came about. */
export interface LatencySnapshot {
  /** {@link LATENCY_BOUNDS_MS} */
  readonly boundsMs: readonly number[];
  /** How many took at most the bound at the same place and more than the one before it; the last: more than all. */
  readonly counts: readonly number[];
  /** All of them together, ms. */
  readonly sumMs: number;
}

const BUCKETS = LATENCY_BOUNDS_MS.length + 1;
const NONE: readonly number[] = Object.freeze(Array.from({ length: BUCKETS }, () => 0));

/** A histogram in fixed buckets. To observe allocates nothing but the buckets, the first time. */
export class Latency {
  #counts: number[] | undefined;
  #sumMs = 0;

  observe(ms: number): void {
    this.#counts ??= NONE.slice();
    const counts = this.#counts;
    let at = 0;
    while (at < LATENCY_BOUNDS_MS.length && ms > (LATENCY_BOUNDS_MS[at] ?? 0)) at++;
    counts[at] = (counts[at] ?? 0) + 1;
    this.#sumMs += ms;
  }

  snapshot(): LatencySnapshot {
    const counts = (this.#counts ?? NONE).slice();
    return { boundsMs: LATENCY_BOUNDS_MS, counts, sumMs: this.#sumMs };
  }
}

/** What a tunnel measures, see `TunnelLatencies`. */
export class Latencies {
  readonly dial = new Latency();
  readonly handshake = new Latency();
  readonly poolDial = new Latency();
  readonly poolWait = new Latency();
  readonly firstByte = new Latency();
}
