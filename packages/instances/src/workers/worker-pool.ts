import type { Latencies } from "@nodepass/model";
import type { TunnelQuestion, TunnelSpec } from "./messages.ts";
import type { StartThread } from "./tunnel-thread.ts";
import { type RunListener, type SlotRun, WorkerSlot } from "./worker-slot.ts";

/** How a pool keeps its threads. */
export interface WorkerPoolOptions {
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
  /** Answered by `onChanged`, unless the thread is gone. */
  change(spec: TunnelSpec): void;
  /** It is not to serve after that, by `monotonicMs`, in whichever thread; `onClosed` follows then. */
  serveUntil(until: number | undefined): void;
  /** Answered by `onCounters`, unless the thread is gone. */
  read(): void;
  /** Answered by `onAnswer` with the same number, unless the thread is gone. */
  ask(ask: number, question: TunnelQuestion): void;
  /** What its tunnel had measured when {@link WorkerPool.measure} was called last. */
  readonly latencies: Latencies | undefined;
  /** Ends the thread that does not answer; its other runs are lost and come back. */
  kill(reason: string): void;
  /** Nothing more is heard of it. */
  forget(): void;
}

/** A fixed set of threads, started when they are first needed, with the runs spread over them. */
export class WorkerPool {
  readonly #slots: readonly WorkerSlot[];
  #lastRun = 0;
  #crashes = 0;

  constructor(options: WorkerPoolOptions) {
    this.#slots = Array.from({ length: options.threads }, (_, index) => {
      const thread = `nodepass-worker-${index + 1}`;
      return new WorkerSlot({
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

  /** Threads that ended unasked and are not yet replaced. */
  get away(): number {
    return this.#slots.filter(({ isWaiting }) => isWaiting).length;
  }

  /** Threads that ended unasked, since the pool was made. */
  get crashes(): number {
    return this.#crashes;
  }

  /**
   * Opens a tunnel where the fewest are, but a server beside those that have its tunnel address or its
   * users': a socket can't be handed to another thread, so who shares a port has to be where it is
   * listened on. The listener is called later, never from inside.
   */
  open(spec: TunnelSpec, listener: RunListener, until?: number): Run {
    const slot =
      this.#slots.find((each) => each.listensFor(spec)) ??
      this.#slots.find((each) => each.hasEntryOf(spec)) ??
      this.#emptiest();
    this.#lastRun++;
    const run: SlotRun = {
      run: this.#lastRun,
      spec,
      wanted: spec,
      until,
      listener,
      closing: false,
    };
    slot.open(run);
    return {
      close: (timeoutMs) => slot.close(run, timeoutMs),
      change: (wanted) => slot.change(run, wanted),
      serveUntil: (wanted) => slot.serveUntil(run, wanted),
      read: () => slot.read(run),
      ask: (ask, question) => slot.ask(run, ask, question),
      get latencies() {
        return run.latencies;
      },
      kill: (reason) => slot.kill(reason),
      forget: () => slot.forget(run),
    };
  }

  /** Has every run say what it has measured; resolves within `limitMs`. */
  async measure(limitMs: number): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.measure(limitMs)));
  }

  /** Ends every thread now. Idempotent. */
  destroy(): void {
    for (const slot of this.#slots) slot.destroy();
  }

  #emptiest(): WorkerSlot {
    const up = this.#slots.filter(({ isWaiting }) => !isWaiting);
    const [first, ...others] = up.length > 0 ? up : this.#slots;
    if (first === undefined) throw new RangeError("a pool needs a thread");
    return others.reduce((best, slot) => (slot.size < best.size ? slot : best), first);
  }
}
