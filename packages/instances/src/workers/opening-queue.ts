/** What opens one after the other waits here, a few under way at once. */
export class OpeningQueue<Key> {
  readonly #atOnce: number;
  readonly #waiting: { readonly key: Key; readonly open: () => Promise<void> }[] = [];
  #opening = 0;

  /** @param atOnce how many open at once */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Calls `open` when it is its turn; it must not reject. */
  add(key: Key, open: () => Promise<void>): void {
    this.#waiting.push({ key, open });
    this.#next();
  }

  /** Takes out the first that still waits under `key`. @returns whether one did */
  drop(key: Key): boolean {
    const at = this.#waiting.findIndex((one) => one.key === key);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    return true;
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  #next(): void {
    while (this.#opening < this.#atOnce) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#opening++;
      void next.open().finally(() => {
        this.#opening--;
        this.#next();
      });
    }
  }
}
