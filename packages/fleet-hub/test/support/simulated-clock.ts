import type { Clock } from "@nodepass/master-api";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly owner: SimulatedClock;
  readonly run: () => void;
  isCancelled: boolean;
}

/** One time for all; what is due is run in order, and what it set off by promises before the next. */
export class SimulatedTime {
  now = 0;
  readonly #timers: Timer[] = [];
  #order = 0;

  add(owner: SimulatedClock, delayMs: number, run: () => void): () => void {
    const at = this.now + Math.max(0, delayMs);
    const timer: Timer = { at, order: this.#order, owner, run, isCancelled: false };
    this.#order += 1;
    this.#timers.push(timer);
    return () => {
      timer.isCancelled = true;
    };
  }

  /** @param afterEach called when everything that one timer set off has been done */
  async run(untilMs: number, afterEach: () => void = () => undefined): Promise<void> {
    await settle();
    for (;;) {
      const next = this.#take(untilMs);
      if (next === undefined) break;
      this.now = Math.max(this.now, next.at);
      next.run();
      await settle();
      afterEach();
    }
    this.now = Math.max(this.now, untilMs);
  }

  #take(untilMs: number): Timer | undefined {
    let best: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.isCancelled) continue;
      const at = this.#dueAt(timer);
      if (at > untilMs) continue;
      const bestAt = best === undefined ? Number.POSITIVE_INFINITY : this.#dueAt(best);
      if (at < bestAt || (at === bestAt && timer.order < (best?.order ?? 0))) best = timer;
    }
    if (best === undefined) return undefined;
    const at = this.#dueAt(best);
    this.#timers.splice(this.#timers.indexOf(best), 1);
    return { ...best, at };
  }

  /** What a frozen process is to do waits till it wakes. */
  #dueAt({ at, owner }: Timer): number {
    return Math.max(at, owner.frozenUntil);
  }
}

/** The clock of one process. */
export class SimulatedClock implements Clock {
  readonly #time: SimulatedTime;
  frozenUntil = 0;

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  get isFrozen(): boolean {
    return this.#time.now < this.frozenUntil;
  }

  now(): number {
    return 1_790_000_000_000 + this.#time.now;
  }

  monotonic(): number {
    return this.#time.now;
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#time.add(this, delayMs, callback);
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }
}

/** Lets all promises that can go on go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
}
