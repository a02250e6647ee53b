/** Lets others wait for a change of something. */
export class ChangeSignal {
  readonly #waiting = new Set<() => void>();

  /** Has every condition looked at again. */
  notify(): void {
    for (const look of [...this.#waiting]) look();
  }

  /**
   * Waits until a condition holds.
   *
   * @returns whether it held within `limitMs`, or before `signal` was aborted
   */
  until(condition: () => boolean, limitMs: number, signal?: AbortSignal): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    if (signal?.aborted === true) return Promise.resolve(false);
    return new Promise((resolve) => {
      const finish = (held: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        signal?.removeEventListener("abort", abort);
        resolve(held);
      };
      const look = (): void => {
        if (condition()) finish(true);
      };
      const abort = (): void => finish(false);
      const timer = setTimeout(() => finish(condition()), limitMs);
      this.#waiting.add(look);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}
