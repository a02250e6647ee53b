/** Between two tries, ms; each wait is twice the one before. */
const AGAIN_MS = { least: 1000, most: 30_000 } as const;

/** What could not be done as nothing could be saved here: tried again until it is done. Of each key the last. */
export class OwedWork {
  readonly #owed = new Map<string, () => Promise<unknown>>();
  #timer: NodeJS.Timeout | undefined;
  #tries = 0;
  #isClosed = false;

  /** @param task owes it again if it fails again */
  owe(key: string, task: () => Promise<unknown>): void {
    this.#owed.set(key, task);
    this.#plan();
  }

  /** It is not wanted any more, or is done. */
  settle(key: string): void {
    this.#owed.delete(key);
  }

  /** Nothing is tried any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    const wait = Math.min(AGAIN_MS.most, AGAIN_MS.least * 2 ** this.#tries);
    this.#timer = setTimeout(() => void this.#run(), wait).unref();
  }

  async #run(): Promise<void> {
    const tasks = [...this.#owed.values()];
    this.#owed.clear();
    this.#tries += 1;
    await Promise.allSettled(tasks.map((task) => task()));
    this.#timer = undefined;
    if (this.#owed.size > 0) this.#plan();
    else this.#tries = 0;
  }
}
