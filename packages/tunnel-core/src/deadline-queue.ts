/**
 * Items that all have the same time to live, expired by one timer. Constant time to add and to
 * delete; no timer runs while it is empty.
 */
export class DeadlineQueue<T> {
  readonly #deadlines = new Map<T, number>();
  readonly #timeoutMs: number;
  readonly #onExpire: (item: T) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutMs ms from `add` to `onExpire`; 0 = items never expire */
  constructor(timeoutMs: number, onExpire: (item: T) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onExpire = onExpire;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** @returns the time now, of `performance.now()` */
  add(item: T): number {
    const now = performance.now();
    this.#deadlines.set(item, now + this.#timeoutMs);
    if (this.#timer === undefined && this.#timeoutMs > 0) this.#arm(this.#timeoutMs);
    return now;
  }

  /** How long an item has waited, ms; 0 if it does not. */
  age(item: T): number {
    const deadline = this.#deadlines.get(item);
    return deadline === undefined ? 0 : performance.now() - deadline + this.#timeoutMs;
  }

  has(item: T): boolean {
    return this.#deadlines.has(item);
  }

  /** @returns whether it was waiting */
  delete(item: T): boolean {
    return this.#deadlines.delete(item);
  }

  /** The item that has waited longest. */
  get first(): T | undefined {
    for (const item of this.#deadlines.keys()) return item;
    return undefined;
  }

  /** Empties the queue; the items are given to `each`, not expired. */
  clear(each?: (item: T) => void): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const items = [...this.#deadlines.keys()];
    this.#deadlines.clear();
    if (each !== undefined) for (const item of items) each(item);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#expire();
    }, ms);
  }

  #expire(): void {
    const now = performance.now();
    for (const [item, deadline] of this.#deadlines) {
      if (deadline > now) {
        // `onExpire` may have added an item, and `add` armed the timer for that one.
        clearTimeout(this.#timer);
        this.#arm(deadline - now);
        return;
      }
      this.#deadlines.delete(item);
      this.#onExpire(item);
    }
  }
}
