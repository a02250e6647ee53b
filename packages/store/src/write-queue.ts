import type { StateSnapshot } from "./state-store.ts";
import { StoreError, toStoreError } from "./store-error.ts";

/** How often and through what the queue writes. */
export interface WriteQueueOptions {
  /** Makes one durable write. `demanded`: somebody waits for it. */
  write: (snapshot: StateSnapshot, demanded: boolean) => Promise<void>;
  /** Shortest time between writes that nobody waits for, in milliseconds. */
  counterIntervalMs: number;
  /** Longest time between attempts after failed ones, in milliseconds. */
  maxRetryMs: number;
}

interface Waiter {
  resolve: () => void;
  reject: (error: StoreError) => void;
}

/**
 * At most one write under way and one to come.
 *
 * `idle` → `writing` by `save()` or a due timer; `writing` → `writing` if somebody asked meanwhile,
 * else → `idle`. A failed write leaves its snapshot to be written: by the next `save()`, or by the
 * timer, later after each failure.
 */
export class WriteQueue {
  /** Error of the last write; `undefined` since one succeeded. */
  failure: StoreError | undefined;

  readonly #options: WriteQueueOptions;
  #unwritten: StateSnapshot | undefined;
  #waiting: Waiter[] = [];
  #pump: Promise<void> | undefined;
  #exclusive: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #due = false;
  #lastWriteAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #closed: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /** Resolves when this snapshot or a later one is written; rejects if that write fails. */
  save(snapshot: StateSnapshot): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(closedError(this.#closed));
    this.#unwritten = snapshot;
    const written = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
    this.#pump ??= this.#run();
    return written;
  }

  /** Has the snapshot written within the counter interval. */
  saveSoon(snapshot: StateSnapshot): void {
    if (this.#closed !== undefined) return;
    this.#unwritten = snapshot;
    this.#schedule();
  }

  /** Runs a task while no write is under way. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#exclusive.then(task);
    this.#exclusive = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Takes nothing new, writes what is left. Rejects if that fails; then it stays unwritten. */
  close(): Promise<void> {
    this.#closed ??= new StoreError("CLOSED", "the store is closed");
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /** Takes nothing new, writes nothing more. Resolves when the write under way has ended. */
  async destroy(error: Error): Promise<void> {
    this.#closed ??= error;
    this.#unwritten = undefined;
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.splice(0)) reject(closedError(error));
    await this.#pump;
    await this.#exclusive;
  }

  async #finish(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#pump;
    const failed = this.#unwritten === undefined ? undefined : await this.#writeOnce();
    await this.#exclusive;
    if (failed !== undefined) throw failed;
  }

  async #run(): Promise<void> {
    // Changes of one turn of the event loop become one write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0 || this.#due) await this.#writeOnce();
    // In the same turn as the last look at who waits: nobody is left behind.
    this.#pump = undefined;
    if (this.#unwritten !== undefined && this.#closed === undefined) this.#schedule();
  }

  /** @returns the error, if it failed */
  #writeOnce(): Promise<StoreError | undefined> {
    return this.exclusively(async () => {
      const snapshot = this.#unwritten;
      this.#due = false;
      if (snapshot === undefined) return undefined;
      const waiting = this.#waiting.splice(0);
      this.#unwritten = undefined;
      this.#lastWriteAt = performance.now();
      try {
        await this.#options.write(snapshot, waiting.length > 0);
        this.failure = undefined;
        this.#failures = 0;
        for (const { resolve } of waiting) resolve();
        return undefined;
      } catch (error) {
        const failure = toStoreError("WRITE_FAILED", "state cannot be saved", error);
        this.failure = failure;
        this.#failures++;
        this.#unwritten ??= snapshot;
        for (const { reject } of waiting) reject(failure);
        return failure;
      }
    });
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#pump !== undefined) return;
    const { counterIntervalMs, maxRetryMs } = this.#options;
    const pause = Math.min(
      counterIntervalMs * 2 ** Math.min(this.#failures, 16),
      Math.max(maxRetryMs, counterIntervalMs),
    );
    const wait = Math.max(0, this.#lastWriteAt + pause - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // A save() may have written it in the meantime.
      if (this.#unwritten === undefined || this.#closed !== undefined) return;
      this.#due = true;
      this.#pump ??= this.#run();
    }, wait).unref();
  }
}

function closedError(reason: Error): StoreError {
  return reason instanceof StoreError
    ? reason
    : new StoreError("CLOSED", "the store was given up", { cause: reason });
}
