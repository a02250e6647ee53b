import type { Counters, Latencies, PeerLink } from "@nodepass/model";
import { formatHostPort } from "@nodepass/url-config";
import { ChangeSignal } from "../change-signal.ts";
import { eachLatencies } from "./latency-rows.ts";
import {
  type ChangeOutcome,
  type ClosedReport,
  eachCounters,
  type LogReport,
  type RunnerReport,
  type StateReport,
  type TunnelAnswer,
  type TunnelQuestion,
  type TunnelSpec,
} from "./messages.ts";
import type { ThreadHandlers, TunnelThread } from "./tunnel-thread.ts";

/** First wait before a crashed thread is replaced, ms; it doubles up to `MAX_WAIT_MS`. */
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;

/** What one run of a tunnel tells. */
export interface RunListener {
  onState(report: StateReport): void;
  onCounters(counters: Counters): void;
  onPeers(peers: readonly PeerLink[]): void;
  onLog(report: LogReport): void;
  onChanged(outcome: ChangeOutcome): void;
  onAnswer(ask: number, answer: TunnelAnswer): void;
  /** The run is over. Without a reason it was closed as asked. */
  onClosed(reason: ClosedReport["reason"]): void;
  /** Its thread is gone; it is opened again in the next one. Its counters start over. */
  onLost(reason: string): void;
}

/** A run in its slot. */
export interface SlotRun {
  readonly run: number;
  /** What its next thread opens. */
  spec: TunnelSpec;
  /** What it was asked to change to last. */
  wanted: TunnelSpec;
  until: number | undefined;
  readonly listener: RunListener;
  closing: boolean;
  latencies?: Latencies;
}

/** What a slot needs from its pool. */
export interface WorkerSlotOptions {
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
export class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  readonly #runs = new Map<number, SlotRun>();
  #thread: TunnelThread | undefined;
  #startedAt = 0;
  #crashes = 0;
  #timer: NodeJS.Timeout | undefined;
  #destroyed = false;
  readonly #changes = new ChangeSignal();
  /** Times that the thread has told what was measured. */
  #measured = 0;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Whether it has a server on the same tunnel address. */
  listensFor(spec: TunnelSpec): boolean {
    const { host, port } = spec.tunnel;
    if (spec.scheme !== "server" || port === 0) return false;
    for (const { spec: other } of this.#runs.values()) {
      const { tunnel } = other;
      if (other.scheme === "server" && tunnel.port === port && tunnel.host === host) return true;
    }
    return false;
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
    this.#ensureThread().post({ kind: "open", run: run.run, spec: run.spec, until: run.until });
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

  serveUntil(run: SlotRun, until: number | undefined): void {
    run.until = until;
    this.#thread?.post({ kind: "until", run: run.run, until });
  }

  read(run: SlotRun): void {
    this.#thread?.post({ kind: "read", run: run.run });
  }

  ask(run: SlotRun, ask: number, question: TunnelQuestion): void {
    this.#thread?.post({ kind: "ask", run: run.run, ask, question });
  }

  /** Resolves when the thread has told what its tunnels measured, is gone, or takes too long. */
  async measure(limitMs: number): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined || this.#runs.size === 0) return;
    const before = this.#measured;
    thread.post({ kind: "measure" });
    await this.#changes.until(() => this.#measured !== before || this.#thread !== thread, limitMs);
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
    if (report.kind === "latencies") {
      eachLatencies(report.rows, (number, latencies) => {
        const run = this.#runs.get(number);
        if (run !== undefined) run.latencies = latencies;
      });
      this.#measured++;
      this.#changes.notify();
      return;
    }
    const run = this.#runs.get(report.run);
    if (run === undefined) return;
    if (report.kind === "state") run.listener.onState(report);
    else if (report.kind === "peers") run.listener.onPeers(report.peers);
    else if (report.kind === "log") run.listener.onLog(report);
    else if (report.kind === "changed") {
      if (report.outcome !== "refused") run.spec = run.wanted;
      run.listener.onChanged(report.outcome);
    } else if (report.kind === "answer") run.listener.onAnswer(report.ask, report.answer);
    else this.#end(run, report.reason);
  }

  #onExit(reason: string): void {
    this.#thread = undefined;
    this.#changes.notify();
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
    for (const { run, spec, until } of this.#runs.values()) {
      this.#ensureThread().post({ kind: "open", run, spec, until });
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
