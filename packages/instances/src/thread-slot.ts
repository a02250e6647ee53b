import type { ThreadHandlers, TunnelThread } from "./tunnel-thread.ts";
import {
  type ClosedReport,
  eachCounters,
  type LiveCounters,
  type LogReport,
  type RunnerReport,
  type StateReport,
} from "./worker/runner-report.ts";

/** First wait before a crashed thread is replaced, ms; it doubles up to `MAX_WAIT_MS`. */
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;

/** What one run of a tunnel tells. */
export interface RunListener {
  onState(report: StateReport): void;
  onCounters(counters: LiveCounters): void;
  onLog(report: LogReport): void;
  /** The run is over. Without a reason it was closed as asked. */
  onClosed(reason: ClosedReport["reason"]): void;
  /** Its thread is gone; it is opened again in the next one. Its counters start over. */
  onLost(reason: string): void;
}

/** A run in its slot. */
export interface SlotRun {
  readonly run: number;
  readonly config: string;
  readonly listener: RunListener;
  closing: boolean;
}

/** What a slot needs from its pool. */
export interface ThreadSlotOptions {
  readonly start: (handlers: ThreadHandlers) => TunnelThread;
  /** A thread that lived this long, ms, starts the waits over. */
  readonly stableMs: number;
  readonly onCrash: (reason: string, runs: number, waitMs: number) => void;
}

/**
 * A place for one thread and the runs in it.
 *
 * `empty` → `up` by the first run; `up` → `waiting` when the thread ends; `waiting` → `up` after
 * 1 s, 2 s, 4 s … 60 s, with all its runs, or → `empty` if none is left.
 */
export class ThreadSlot {
  readonly #options: ThreadSlotOptions;
  readonly #runs = new Map<number, SlotRun>();
  #thread: TunnelThread | undefined;
  #startedAt = 0;
  #crashes = 0;
  #timer: NodeJS.Timeout | undefined;
  #destroyed = false;

  constructor(options: ThreadSlotOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#runs.size;
  }

  get isUp(): boolean {
    return this.#thread !== undefined;
  }

  /** Its last thread crashed, the next one is not yet due. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  open(run: SlotRun): void {
    this.#runs.set(run.run, run);
    if (this.isWaiting) {
      queueMicrotask(() => {
        if (this.#runs.has(run.run) && this.isWaiting) {
          run.listener.onLost("its worker is being replaced");
        }
      });
      return;
    }
    this.#ensureThread().post({ kind: "open", run: run.run, config: run.config });
  }

  close(run: SlotRun, timeoutMs: number): void {
    run.closing = true;
    if (this.#thread !== undefined) {
      this.#thread.post({ kind: "close", run: run.run, timeoutMs });
      return;
    }
    queueMicrotask(() => this.#end(run, undefined));
  }

  read(run: SlotRun): void {
    this.#thread?.post({ kind: "read", run: run.run });
  }

  /** Ends the thread, because it does not do what it is told. */
  kill(reason: string): void {
    this.#thread?.terminate(reason);
  }

  /** Forgets a run, whatever its thread does. */
  forget(run: SlotRun): void {
    this.#runs.delete(run.run);
  }

  destroy(): void {
    this.#destroyed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#thread !== undefined) this.#thread.terminate("the pool is closed");
    else this.#endAll();
  }

  #ensureThread(): TunnelThread {
    if (this.#thread !== undefined) return this.#thread;
    this.#startedAt = performance.now();
    const thread = this.#options.start({
      onReport: (report) => this.#onReport(report),
      onExit: (reason) => this.#onExit(reason),
    });
    this.#thread = thread;
    return thread;
  }

  #onReport(report: RunnerReport): void {
    if (report.kind === "counters") {
      eachCounters(report.rows, (run, counters) => {
        this.#runs.get(run)?.listener.onCounters(counters);
      });
      return;
    }
    const run = this.#runs.get(report.run);
    if (run === undefined) return;
    if (report.kind === "state") run.listener.onState(report);
    else if (report.kind === "log") run.listener.onLog(report);
    else this.#end(run, report.reason);
  }

  #onExit(reason: string): void {
    this.#thread = undefined;
    if (this.#destroyed) {
      this.#endAll();
      return;
    }
    if (performance.now() - this.#startedAt >= this.#options.stableMs) this.#crashes = 0;
    const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.#crashes, 16));
    this.#crashes++;
    this.#timer = setTimeout(() => this.#replace(), waitMs);
    this.#options.onCrash(reason, this.#runs.size, waitMs);
    for (const run of [...this.#runs.values()]) {
      if (run.closing) this.#end(run, undefined);
      else run.listener.onLost(`its worker crashed: ${reason}`);
    }
  }

  #replace(): void {
    this.#timer = undefined;
    for (const { run, config } of this.#runs.values()) {
      this.#ensureThread().post({ kind: "open", run, config });
    }
  }

  #end(run: SlotRun, reason: string | undefined): void {
    if (this.#runs.delete(run.run)) run.listener.onClosed(reason);
  }

  #endAll(): void {
    for (const run of [...this.#runs.values()]) this.#end(run, undefined);
  }
}
