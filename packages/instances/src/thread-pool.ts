import { type RunListener, type SlotRun, ThreadSlot } from "./thread-slot.ts";
import type { StartThread } from "./tunnel-thread.ts";

/** How a pool keeps its threads. */
export interface ThreadPoolOptions {
  /** Threads at most. */
  readonly threads: number;
  readonly start: StartThread;
  /** A thread that lived this long, ms, starts the waits before a replacement over. */
  readonly stableMs: number;
  readonly onCrash: (crash: ThreadCrash) => void;
}

/** A thread that ended unasked. */
export interface ThreadCrash {
  readonly thread: string;
  readonly reason: string;
  /** Tunnels that were in it. */
  readonly runs: number;
  /** Time to its replacement. */
  readonly waitMs: number;
}

/** One run of a tunnel, somewhere in the pool. */
export interface Run {
  /** Answered by `onClosed`. */
  close(timeoutMs: number): void;
  /** Answered by `onCounters`, unless the thread is gone. */
  read(): void;
  /** Ends the thread that does not answer; its other runs are lost and come back. */
  kill(reason: string): void;
  /** Nothing more is heard of it. */
  forget(): void;
}

/** A fixed set of threads, started when they are first needed, with the runs spread over them. */
export class ThreadPool {
  readonly #slots: readonly ThreadSlot[];
  #lastRun = 0;
  #crashes = 0;

  constructor(options: ThreadPoolOptions) {
    this.#slots = Array.from({ length: options.threads }, (_, index) => {
      const thread = `nodepass-worker-${index + 1}`;
      return new ThreadSlot({
        start: (handlers) => options.start(thread, handlers),
        stableMs: options.stableMs,
        onCrash: (reason, runs, waitMs) => {
          this.#crashes++;
          options.onCrash({ thread, reason, runs, waitMs });
        },
      });
    });
  }

  /** Threads alive. */
  get threads(): number {
    return this.#slots.filter(({ isUp }) => isUp).length;
  }

  /** Threads that ended unasked, since the pool was made. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Opens a tunnel where the fewest are. The listener is called later, never from inside. */
  open(config: string, listener: RunListener): Run {
    const slot = this.#emptiest();
    this.#lastRun++;
    const run: SlotRun = { run: this.#lastRun, config, listener, closing: false };
    slot.open(run);
    return {
      close: (timeoutMs) => slot.close(run, timeoutMs),
      read: () => slot.read(run),
      kill: (reason) => slot.kill(reason),
      forget: () => slot.forget(run),
    };
  }

  /** Ends every thread now. Idempotent. */
  destroy(): void {
    for (const slot of this.#slots) slot.destroy();
  }

  #emptiest(): ThreadSlot {
    const up = this.#slots.filter(({ isWaiting }) => !isWaiting);
    const [first, ...others] = up.length > 0 ? up : this.#slots;
    if (first === undefined) throw new RangeError("a pool needs a thread");
    return others.reduce((best, slot) => (slot.size < best.size ? slot : best), first);
  }
}
