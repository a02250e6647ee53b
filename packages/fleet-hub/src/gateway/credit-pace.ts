/** A member may be so far ahead of its pace before it has to wait, ms: no timer for each piece. */
const AHEAD_MS = 100;

/**
 * Keeps what a hub asks of each member within a rate: one that can send faster, to a client that reads faster,
 * would be taken for one that floods the engine.
 */
export class CreditPace {
  readonly #bytesPerSecond: number;
  /** When what has come from a member would have come at its pace, ms. */
  readonly #doneAt = new Map<string, number>();

  /** @param bytesPerSecond above 0 */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** So many bytes of an answer have come from it. */
  came(mid: string, bytes: number): void {
    const begin = Math.max(this.#doneAt.get(mid) ?? 0, performance.now());
    this.#doneAt.set(mid, begin + (bytes / this.#bytesPerSecond) * 1000);
  }

  /** How long it is not asked for more, ms; 0: it may be asked. */
  waitOf(mid: string): number {
    return Math.max(0, (this.#doneAt.get(mid) ?? 0) - performance.now() - AHEAD_MS);
  }

  /** Forgets those that have kept their pace. */
  forgetIdle(): void {
    const now = performance.now();
    for (const [mid, doneAt] of this.#doneAt) if (doneAt <= now) this.#doneAt.delete(mid);
  }
}
