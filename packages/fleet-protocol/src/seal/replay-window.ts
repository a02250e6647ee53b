/** How far below the highest counter a message may still arrive, once. */
export const REPLAY_WINDOW = 1024;

/**
 * Which counters of one sender were seen: the highest, and a bit for each of the 1,024 up to it
 * (as RFC 4303, 3.4.3). Messages overtake each other when several subjects have queues of their own.
 */
export class ReplayWindow {
  #highest = 0;
  readonly #seen = new Uint8Array(REPLAY_WINDOW);

  /** Whether this counter was seen, or is too old to know. */
  has(counter: number): boolean {
    if (counter > this.#highest) return false;
    if (this.#highest - counter >= REPLAY_WINDOW) return true;
    return this.#seen[counter % REPLAY_WINDOW] === 1;
  }

  /** Notes a counter that {@link has} does not know. */
  add(counter: number): void {
    if (counter > this.#highest) {
      if (counter - this.#highest >= REPLAY_WINDOW) this.#seen.fill(0);
      else for (let c = this.#highest + 1; c < counter; c++) this.#seen[c % REPLAY_WINDOW] = 0;
      this.#highest = counter;
    }
    this.#seen[counter % REPLAY_WINDOW] = 1;
  }
}
