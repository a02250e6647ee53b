import { Worker } from "node:worker_threads";
import type { Counters } from "@nodepass/model";
import { formatHostPort } from "@nodepass/url-config";
import {
  type ChangeOutcome,
  type ClosedReport,
  eachCounters,
  type LogReport,
  type RunnerCommand,
  type RunnerReport,
  type RunnerSettings,
  type StateReport,
  type TunnelAnswer,
  type TunnelQuestion,
  type TunnelSpec,
} from "./messages.ts";
import { type OpenTunnel, TunnelRunner } from "./tunnel-runner.ts";

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
  /** Answered by `onCounters`, unless the thread is gone. */
  read(): void;
  /** Answered by `onAnswer` with the same number, unless the thread is gone. */
  ask(ask: number, question: TunnelQuestion): void;
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
   * Opens a tunnel where the fewest are, or where those are that it may share its users' port with.
   * The listener is called later, never from inside. */
  open(spec: TunnelSpec, listener: RunListener): Run {
    const slot = this.#slots.find((each) => each.hasEntryOf(spec)) ?? this.#emptiest();
    this.#lastRun++;
    const run: SlotRun = { run: this.#lastRun, spec, wanted: spec, listener, closing: false };
    slot.open(run);
    return {
      close: (timeoutMs) => slot.close(run, timeoutMs),
      change: (wanted) => slot.change(run, wanted),
      read: () => slot.read(run),
      ask: (ask, question) => slot.ask(run, ask, question),
      kill: (reason) => slot.kill(reason),
      forget: () => slot.forget(run),
    };
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

/** First wait before a crashed thread is replaced, ms; it doubles up to `MAX_WAIT_MS`. */
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;

/** What one run of a tunnel tells. */
export interface RunListener {
  onState(report: StateReport): void;
  onCounters(counters: Counters): void;
  onLog(report: LogReport): void;
  onChanged(outcome: ChangeOutcome): void;
  onAnswer(ask: number, answer: TunnelAnswer): void;
  /** The run is over. Without a reason it was closed as asked. */
  onClosed(reason: ClosedReport["reason"]): void;
  /** Its thread is gone; it is opened again in the next one. Its counters start over. */
  onLost(reason: string): void;
}

/** A run in its slot. */
interface SlotRun {
  readonly run: number;
  /** What its next thread opens. */
  spec: TunnelSpec;
  /** What it was asked to change to last. */
  wanted: TunnelSpec;
  readonly listener: RunListener;
  closing: boolean;
}

/** What a slot needs from its pool. */
interface WorkerSlotOptions {
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
class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  readonly #runs = new Map<number, SlotRun>();
  #thread: TunnelThread | undefined;
  #startedAt = 0;
  #crashes = 0;
  #timer: NodeJS.Timeout | undefined;
  #destroyed = false;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Whether a server's users connect here at the address where this one's do. */
  hasEntryOf(spec: TunnelSpec): boolean {
    const entry = entryOf(spec);
    if (entry === undefined) return false;
    for (const { wanted } of this.#runs.values()) if (entryOf(wanted) === entry) return true;
    return false;
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
    this.#ensureThread().post({ kind: "open", run: run.run, spec: run.spec });
  }

  close(run: SlotRun, timeoutMs: number): void {
    run.closing = true;
    if (this.#thread !== undefined) {
      this.#thread.post({ kind: "close", run: run.run, timeoutMs });
      return;
    }
    queueMicrotask(() => this.#end(run, undefined));
  }

  change(run: SlotRun, spec: TunnelSpec): void {
    run.wanted = spec;
    this.#thread?.post({ kind: "change", run: run.run, spec });
  }

  read(run: SlotRun): void {
    this.#thread?.post({ kind: "read", run: run.run });
  }

  ask(run: SlotRun, ask: number, question: TunnelQuestion): void {
    this.#thread?.post({ kind: "ask", run: run.run, ask, question });
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
    else if (report.kind === "changed") {
      if (report.outcome !== "refused") run.spec = run.wanted;
      run.listener.onChanged(report.outcome);
    } else if (report.kind === "answer") run.listener.onAnswer(report.ask, report.answer);
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
    for (const { run, spec } of this.#runs.values()) {
      this.#ensureThread().post({ kind: "open", run, spec });
    }
  }

  #end(run: SlotRun, reason: string | undefined): void {
    if (this.#runs.delete(run.run)) run.listener.onClosed(reason);
  }

  #endAll(): void {
    for (const run of [...this.#runs.values()]) this.#end(run, undefined);
  }
}

/** Where a server's users connect, if that is sure and could be shared by names. */
function entryOf(spec: TunnelSpec): string | undefined {
  const [target] = spec.targets;
  if (spec.scheme !== "server" || spec.mode === 2 || target === undefined) return undefined;
  return target.port === 0 ? undefined : formatHostPort(target);
}

/** Something that runs tunnels beside others: a worker thread, or this one. */
export interface TunnelThread {
  post(command: RunnerCommand): void;
  /** Ends it now and its tunnels with it; `onExit` follows. */
  terminate(reason: string): void;
}

/** What a thread tells; never from inside `start`, `post` or `terminate`. */
export interface ThreadHandlers {
  onReport(report: RunnerReport): void;
  /** It has ended. Called once; nothing follows. */
  onExit(reason: string): void;
}

/** Starts a thread. */
export type StartThread = (name: string, handlers: ThreadHandlers) => TunnelThread;

/** How worker threads are started. */
export interface WorkerThreadOptions {
  readonly settings: RunnerSettings;
  /** Heap of one thread, MiB; a thread that needs more ends alone. */
  readonly heapMiB: number;
  /** Sees each worker, to make it crash; for tests. */
  readonly onWorker?: ((worker: Worker) => void) | undefined;
}

/** Built files beside built files, sources beside sources: Node 22.18 and later run both. */
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const entry = new URL(`./worker-main.${extension}`, import.meta.url);

/** Runs tunnels in worker threads. */
export function workerThreads(options: WorkerThreadOptions): StartThread {
  return (name, handlers) => {
    let reason: string | undefined;
    let worker: Worker;
    try {
      worker = new Worker(entry, {
        name,
        workerData: options.settings,
        // Flags of the main thread may be about its entry (`--input-type`), which this is not.
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: options.heapMiB },
      });
    } catch (error) {
      // The system has no thread left for us.
      queueMicrotask(() => handlers.onExit(reasonOf(error)));
      return { post: () => undefined, terminate: () => undefined };
    }
    const end = (why: string): void => {
      reason ??= why;
      void worker.terminate();
    };
    worker.on("message", (report: RunnerReport) => {
      // Not what was sent before the end of a thread that is being ended.
      if (reason === undefined) handlers.onReport(report);
    });
    worker.on("messageerror", (error) => end(`unreadable message: ${error.message}`));
    worker.on("error", (error) => {
      reason ??= reasonOf(error);
    });
    worker.once("exit", (code) => handlers.onExit(reason ?? `exit code ${code}`));
    options.onWorker?.(worker);
    return { post: (command) => worker.postMessage(command), terminate: end };
  };
}

/** Runs the tunnels in this thread: for tests and for hosts with little memory. */
export function localThreads(settings: RunnerSettings, open?: OpenTunnel): StartThread {
  return (_name, handlers) => {
    let ended = false;
    const runner = new TunnelRunner({
      ...settings,
      open,
      // Later, as between threads.
      send: (report) => {
        queueMicrotask(() => {
          if (!ended) handlers.onReport(report);
        });
      },
    });
    return {
      post: (command) => runner.handle(command),
      terminate: (reason) => {
        if (ended) return;
        ended = true;
        runner.destroy();
        queueMicrotask(() => handlers.onExit(reason));
      },
    };
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
