/** How far behind the highest counter one may come: reordered dials are far fewer. */
export const HELLO_WINDOW_COUNTERS = 65_536;

/**
 * Which counters of a session's hellos have been used: a sliding window, so its size never changes.
 *
 * Ask it only about hellos whose MAC is right, else a stranger could move it.
 *
 * @see docs/protocol.md, "Pool hello"
 */
export class HelloWindow {
  /** Bit `counter % width` of the last `width` counters up to `#highest`. 8 KiB. */
  readonly #used = new Uint32Array(HELLO_WINDOW_COUNTERS / 32);
  #highest = -1;

  /**
   * Uses a counter up.
   *
   * @returns whether it may be used: false if it was used before, or is 65 536 or more behind the
   *   highest one
   */
  admit(counter: number): boolean {
    if (!Number.isInteger(counter) || counter < 0 || counter > 0xffff_ffff) return false;
    if (counter > this.#highest) {
      this.#advance(counter);
    } else if (this.#highest - counter >= HELLO_WINDOW_COUNTERS || this.#isUsed(counter)) {
      return false;
    }
    const slot = counter % HELLO_WINDOW_COUNTERS;
    this.#used[slot >>> 5] = (this.#used[slot >>> 5] ?? 0) | (1 << (slot & 31));
    return true;
  }

  #isUsed(counter: number): boolean {
    const slot = counter % HELLO_WINDOW_COUNTERS;
    return (((this.#used[slot >>> 5] ?? 0) >>> (slot & 31)) & 1) === 1;
  }

  /** Forgets the counters that leave the window, whose slots the new ones take. */
  #advance(counter: number): void {
    if (counter - this.#highest >= HELLO_WINDOW_COUNTERS) {
      this.#used.fill(0);
    } else {
      for (let next = this.#highest + 1; next <= counter; next++) {
        const slot = next % HELLO_WINDOW_COUNTERS;
        this.#used[slot >>> 5] = (this.#used[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
      }
    }
    this.#highest = counter;
  }
}
