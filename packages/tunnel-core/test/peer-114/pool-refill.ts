import type { PeerTimings } from "./ledger.ts";

export interface RefillOptions {
  readonly min: number;
  readonly max: number;
  readonly timings: PeerTimings;
  idle(): number;
  /** Opens one connection and adds it to the pool; false if that failed. */
  open(): Promise<boolean>;
}

/** How much the pace changes at a time, as a part of 1.14's 100 ms in its range of 100 ms..1 s. */
const STEP = 0.1;

/** Tops a pool up the way the 1.14 client does: on a timer only. */
export class PoolRefill {
  readonly #options: RefillOptions;
  #capacity: number;
  #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  paused = false;

  constructor(options: RefillOptions) {
    this.#options = options;
    this.#capacity = options.min;
    this.#intervalMs = options.timings.minPoolIntervalMs;
  }

  start(): void {
    void this.#turn();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #turn(): Promise<void> {
    const { timings } = this.#options;
    const step = timings.maxPoolIntervalMs * STEP;
    const idle = this.#options.idle();
    if (idle < this.#capacity * 0.2) this.#intervalMs -= step;
    if (idle > this.#capacity * 0.8) this.#intervalMs += step;
    this.#intervalMs = Math.min(this.#intervalMs, timings.maxPoolIntervalMs);
    this.#intervalMs = Math.max(this.#intervalMs, timings.minPoolIntervalMs);
    if (!this.paused) await this.#fill(Math.max(0, this.#capacity - idle));
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#turn(), this.#intervalMs);
  }

  async #fill(missing: number): Promise<void> {
    const opened = await Promise.all(Array.from({ length: missing }, () => this.#options.open()));
    const share = opened.filter(Boolean).length / this.#capacity;
    const { min, max } = this.#options;
    if (share > 0.8) this.#capacity = Math.min(max, this.#capacity + 1);
    if (share < 0.2) this.#capacity = Math.max(min, this.#capacity - 1);
  }
}
