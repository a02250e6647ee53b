/** Lines that may come at once. */
const BURST_LINES = 100;
/** Lines a second for longer. */
const LINES_PER_SECOND = 20;

/** Bounds the log lines of one instance, and counts what it holds back. */
export class LineBudget {
  #left = BURST_LINES;
  #at: number;
  #suppressed = 0;

  /** @param now any clock, ms */
  constructor(now: number) {
    this.#at = now;
  }

  /** Whether a line may pass. */
  take(now: number): boolean {
    const earned = (Math.max(0, now - this.#at) * LINES_PER_SECOND) / 1000;
    this.#left = Math.min(BURST_LINES, this.#left + earned);
    this.#at = now;
    if (this.#left < 1) {
      this.#suppressed++;
      return false;
    }
    this.#left--;
    return true;
  }

  /** How many lines were held back since this was last asked. */
  takeSuppressed(): number {
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    return suppressed;
  }
}
