/** Most concurrent TCP connections and UDP sessions together (`slot`). */
export class Slots {
  #limit: number;
  #used = 0;

  /** @param limit 0 = no limit */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a place; false when all are taken. */
  take(): boolean {
    if (this.#limit > 0 && this.#used >= this.#limit) return false;
    this.#used++;
    return true;
  }

  /** From now on; who is in stays. @param limit 0 = no limit */
  setLimit(limit: number): void {
    this.#limit = limit;
  }

  release(): void {
    this.#used--;
  }

  get used(): number {
    return this.#used;
  }
}
