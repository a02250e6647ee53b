import type { Clock } from "@nodepass/master-api";

/** One world's time, which only moves when a test says so. */
export class VirtualTime {
  #now = 0;
  #next = 0;
  readonly #queue: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  /** Called after everything that happened at one moment. */
  onMoment: (now: number) => void = () => undefined;

  get now(): number {
    return this.#now;
  }

  /** Calls once, after that many ms. @returns cancels it */
  after(delayMs: number, run: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, delayMs), order: this.#next, run };
    this.#next += 1;
    let at = this.#queue.length;
    while (at > 0) {
      const before = this.#queue[at - 1];
      if (before === undefined || before.at <= entry.at) break;
      at -= 1;
    }
    this.#queue.splice(at, 0, entry);
    return () => {
      const index = this.#queue.indexOf(entry);
      if (index >= 0) this.#queue.splice(index, 1);
    };
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Lets that much time pass, one event after the other. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [first] = this.#queue;
      if (first === undefined || first.at > end) break;
      this.#now = first.at;
      while (this.#queue[0] !== undefined && this.#queue[0].at <= this.#now) {
        this.#queue.shift()?.run();
      }
      await settle();
      this.onMoment(this.#now);
    }
    this.#now = end;
    await settle();
    this.onMoment(this.#now);
  }

  /** Passes time until something has come about. @throws what it rejects with, or that it took too long */
  async until<Result>(promise: Promise<Result>, mostMs = 120_000): Promise<Result> {
    let isOver = false;
    const watched = promise.finally(() => {
      isOver = true;
    });
    // Whoever awaits `watched` below gets its failure.
    watched.catch(() => undefined);
    const end = this.#now + mostMs;
    await settle();
    while (!isOver && this.#now < end) await this.pass(10);
    if (!isOver) throw new Error(`nothing came about within ${mostMs} ms`);
    return watched;
  }
}

/** Everything that is ready runs: promises, and what they lead to. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * The clock of one process, which can be frozen: then its timers wait, and `ready` does not resolve,
 * while time goes on.
 */
export class ProcessClock implements Clock {
  readonly #time: VirtualTime;
  readonly #offset: number;
  #frozenUntil = 0;
  #isDead = false;

  /** @param offset what its monotonic clock says at the beginning: no two machines agree */
  constructor(time: VirtualTime, offset: number) {
    this.#time = time;
    this.#offset = offset;
  }

  now(): number {
    return 1_700_000_000_000 + this.#time.now;
  }

  monotonic(): number {
    return this.#time.now + this.#offset;
  }

  after(delayMs: number, callback: () => void): () => void {
    let cancel = (): void => undefined;
    const fire = () => {
      if (this.#isDead) return;
      if (this.isFrozen) cancel = this.#time.after(this.#frozenUntil - this.#time.now, fire);
      else callback();
    };
    cancel = this.#time.after(delayMs, fire);
    return () => cancel();
  }

  get isFrozen(): boolean {
    return this.#time.now < this.#frozenUntil;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#time.now + ms);
  }

  /** No timer fires any more. */
  kill(): void {
    this.#isDead = true;
  }

  /** Something reaches the process: at once, or when it wakes; never when it is dead. */
  ready(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isFrozen) this.after(0, resolve);
      else if (!this.#isDead) resolve();
    });
  }
}
