import {
  type Counters,
  type InstanceStatus,
  type Latencies,
  type LogFields,
  type LogLineLevel,
  type PeerLink,
  TOTAL_NAMES,
  type Totals,
  totalsOf,
} from "@nodepass/model";
import { monotonicMs } from "@nodepass/tunnel-core";
import { ChangeSignal } from "./change-signal.ts";
import { differs, type LiveState, NOT_LIVE, withReport } from "./live-state.ts";
import {
  type ChangeOutcome,
  type LogReport,
  type StateReport,
  TIME_OVER,
  type TunnelAnswer,
  type TunnelQuestion,
  type TunnelSpec,
} from "./workers/messages.ts";
import type { Run, WorkerPool } from "./workers/worker-pool.ts";
import type { RunListener } from "./workers/worker-slot.ts";

/** First wait after a start that failed, ms; it doubles up to `MAX_RETRY_MS`. */
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;
/** Longest wait of a caller for a tunnel to open or fail, and then to connect, ms. */
const OPEN_LIMIT_MS = 5000;
const CONNECT_LIMIT_MS = 1000;
/** A worker that has not closed a tunnel this long after its time is replaced, ms. */
const CLOSE_GRACE_MS = 5000;
/** Longest wait for a worker to say that it changed a tunnel, ms. */
const CHANGE_LIMIT_MS = 5000;
/** Longest wait for counters that were asked for, ms. */
const READ_LIMIT_MS = 1000;

/** Where the tunnel of an instance is; see {@link TunnelLife}. */
export type LifePhase = "stopped" | "opening" | "open" | "lost" | "waiting" | "closing";

/** What the life of a tunnel tells. */
export interface TunnelLifeHooks {
  /** Status, mode or live counters differ. `told`: the status changed, so subscribers want to know. */
  onChange(told: boolean): void;
  /** The addresses that it holds differ, or may be free. */
  onAddresses(): void;
  /** What was counted since the last call. */
  onTotals(more: Totals): void;
  /** Its time to serve has ended: it is `stopped`, and nobody asked for that. */
  onTimeOver(): void;
  onLog(line: Omit<LogReport, "kind" | "run" | "time"> & { readonly time?: number }): void;
}

/**
 * The tunnel of one instance: started, kept alive, stopped.
 *
 * `stopped` → `opening` by `begin()`; → `open` when the tunnel is there (it reconnects by itself);
 * `opening` or `open` → `waiting` when it failed or ended, → `opening` again after 1 s, 2 s, 4 s …
 * 60 s; → `lost` when its worker crashed, → `open` in the next one; any → `closing` → `stopped` by
 * `end()`. Calls of `begin` and `end` come one after the other.
 */
export class TunnelLife {
  readonly #pool: WorkerPool;
  readonly #hooks: TunnelLifeHooks;
  readonly #now: () => number;
  readonly #changes = new ChangeSignal();
  #phase: LifePhase = "stopped";
  #status: InstanceStatus = "stopped";
  #reason: string | undefined;
  #stopReason: string | undefined;
  /** Wall clock at the last change of the status. */
  #since: number;
  #retryAt: number | undefined;
  #live: LiveState = NOT_LIVE;
  #reads = 0;
  #outcome: ChangeOutcome | undefined;
  #asked = 0;
  readonly #answers = new Map<number, TunnelAnswer>();
  #failedStarts = 0;
  #workerCrashes = 0;
  /** What the next try opens. */
  #spec: TunnelSpec | undefined;
  /** It is not to serve after that, by `monotonicMs`. */
  #until: number | undefined;
  #run: Run | undefined;
  #retry: NodeJS.Timeout | undefined;

  /** @param now wall clock, ms since 1970 */
  constructor(pool: WorkerPool, hooks: TunnelLifeHooks, now: () => number) {
    this.#pool = pool;
    this.#hooks = hooks;
    this.#now = now;
    this.#since = now();
  }

  get phase(): LifePhase {
    return this.#phase;
  }

  get status(): InstanceStatus {
    return this.#status;
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  /** Since when the status is what it is, ms since 1970. */
  get since(): number {
    return this.#since;
  }

  /** When the next try comes, ms since 1970. */
  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  /** What the tunnel tells of itself. */
  get live(): LiveState {
    return this.#live;
  }

  /** What the tunnel had measured when the pool was asked last. */
  get latencies(): Latencies | undefined {
    return this.#run?.latencies;
  }

  get failedStarts(): number {
    return this.#failedStarts;
  }

  get workerCrashes(): number {
    return this.#workerCrashes;
  }

  /** Started and not stopped, whatever has become of it. */
  get isActive(): boolean {
    return this.#phase !== "stopped";
  }

  /** Starts the tunnel, at once if it waits for its next try; no effect if there is one. */
  begin(spec: TunnelSpec): void {
    if (this.#phase !== "stopped" && this.#phase !== "waiting") return;
    clearTimeout(this.#retry);
    if (this.#isOver) {
      this.#endOfTime();
      return;
    }
    this.#failedStarts = 0;
    this.#workerCrashes = 0;
    this.#open(spec);
  }

  /**
   * It is stopped at that moment, at once and wherever it runs, and not begun after it.
   *
   * @param until as `monotonicMs`; `undefined`: no end
   */
  serveUntil(until: number | undefined): void {
    this.#until = until;
    this.#run?.serveUntil(until);
  }

  /** Does not run for now, for this reason; `begin` starts it. */
  rest(reason: string): void {
    if (this.#phase === "stopped") this.#setStatus("stopped", reason);
  }

  /** Never runs, for this reason. */
  refuse(reason: string): void {
    if (this.#phase !== "stopped") return;
    this.#setStatus("error", reason);
  }

  /**
   * Resolves when the tunnel runs or has failed: after `OPEN_LIMIT_MS` to open and
   * `CONNECT_LIMIT_MS` to connect at the latest.
   */
  async settled(signal: AbortSignal): Promise<void> {
    const opened = await this.#changes.until(
      () => this.#phase !== "opening",
      OPEN_LIMIT_MS,
      signal,
    );
    if (!opened) return;
    await this.#changes.until(() => !this.#live.connecting, CONNECT_LIMIT_MS, signal);
  }

  /**
   * Stops the tunnel; resolves when it is really stopped and its last counters have been told.
   *
   * @param reason shown while it is stopped, where nobody asked for that
   */
  async end(timeoutMs: number, reason?: string): Promise<void> {
    clearTimeout(this.#retry);
    this.#stopReason = reason;
    const run = this.#run;
    if (run === undefined) {
      this.#stopped();
      return;
    }
    this.#phase = "closing";
    run.close(timeoutMs);
    const isStopped = (): boolean => this.#phase === "stopped";
    if (await this.#changes.until(isStopped, timeoutMs + CLOSE_GRACE_MS)) return;
    this.#log("error", "worker does not close the tunnel: it is replaced", {});
    run.kill("a tunnel could not be closed");
    if (await this.#changes.until(isStopped, CLOSE_GRACE_MS)) return;
    run.forget();
    this.#stopped();
  }

  /** Brings the counters up to date, if they can be had within a second. */
  async refresh(): Promise<void> {
    if (this.#phase !== "open") return;
    const before = this.#reads;
    this.#run?.read();
    await this.#changes.until(
      () => this.#reads !== before || this.#phase !== "open",
      READ_LIMIT_MS,
    );
  }

  /** Asks the tunnel; `undefined` if it is not open or does not answer within a second. */
  async ask(question: TunnelQuestion): Promise<TunnelAnswer | undefined> {
    const run = this.#run;
    if (this.#phase !== "open" || run === undefined) return undefined;
    const ask = ++this.#asked;
    run.ask(ask, question);
    await this.#changes.until(
      () => this.#answers.has(ask) || this.#phase !== "open" || this.#run !== run,
      READ_LIMIT_MS,
    );
    const answer = this.#answers.get(ask);
    // Those of questions that nobody waits for any more go too.
    for (const older of this.#answers.keys()) if (older <= ask) this.#answers.delete(older);
    return answer;
  }

  /**
   * Has the open tunnel become what `spec` says without closing a port or cutting a connection at once.
   *
   * @returns how it did; `refused` if it did not: it goes on by the old settings, or is not open
   */
  async change(spec: TunnelSpec): Promise<ChangeOutcome> {
    const run = this.#run;
    if (this.#phase !== "open" || run === undefined) return "refused";
    this.#outcome = undefined;
    run.change(spec);
    await this.#changes.until(
      () => this.#outcome !== undefined || this.#phase !== "open" || this.#run !== run,
      CHANGE_LIMIT_MS,
    );
    const outcome = this.#outcome ?? "refused";
    if (outcome !== "refused") this.#spec = spec;
    return outcome;
  }

  #open(spec: TunnelSpec): void {
    this.#spec = spec;
    this.#phase = "opening";
    this.#retryAt = undefined;
    const isCurrent = (): boolean => this.#run === run;
    const listener: RunListener = {
      onState: (report) => isCurrent() && this.#onState(report),
      onCounters: (counters) => isCurrent() && this.#onCounters(counters),
      onPeers: (peers) => isCurrent() && this.#onPeers(peers),
      onLog: (line) => this.#hooks.onLog(line),
      onChanged: (outcome) => {
        if (!isCurrent()) return;
        this.#outcome = outcome;
        this.#changes.notify();
      },
      onAnswer: (ask, answer) => {
        if (!isCurrent()) return;
        this.#answers.set(ask, answer);
        this.#changes.notify();
      },
      onClosed: (reason) => isCurrent() && this.#onClosed(this.#spec ?? spec, reason),
      onLost: (reason) => isCurrent() && this.#onLost(reason),
    };
    const run = this.#pool.open(spec, listener, this.#until);
    this.#run = run;
  }

  #onState(report: StateReport): void {
    if (this.#phase === "closing") return;
    const { state, reason } = report;
    const before = this.#live;
    this.#live = withReport(before, report);
    this.#phase = "open";
    if (state === "running") this.#failedStarts = 0;
    this.#hooks.onAddresses();
    const status = state === "error" ? "error" : "running";
    this.#setStatus(status, reason, differs(before, this.#live));
  }

  #onCounters(counters: Counters): void {
    const before = this.#live.counters;
    this.#live = { ...this.#live, counters };
    this.#reads++;
    const more = totalsOf((name) => Math.max(0, counters[name] - before[name]));
    if (TOTAL_NAMES.some((name) => more[name] > 0)) this.#hooks.onTotals(more);
    this.#hooks.onChange(false);
    this.#changes.notify();
  }

  #onPeers(peers: readonly PeerLink[]): void {
    this.#live = { ...this.#live, peers };
    this.#hooks.onChange(false);
  }

  #onClosed(spec: TunnelSpec, reason: string | undefined): void {
    this.#run = undefined;
    this.#live = NOT_LIVE;
    if (this.#phase === "closing") {
      this.#stopped();
      return;
    }
    if (this.#isOver) {
      this.#endOfTime();
      return;
    }
    const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failedStarts, 16));
    this.#failedStarts++;
    this.#phase = "waiting";
    this.#retryAt = this.#now() + waitMs;
    this.#retry = setTimeout(() => {
      if (this.#isOver) this.#endOfTime();
      else this.#open(spec);
    }, waitMs);
    this.#log("error", "tunnel does not run", { reason, retryMs: waitMs });
    this.#hooks.onAddresses();
    this.#setStatus("error", reason ?? "the tunnel ended");
  }

  #onLost(reason: string): void {
    this.#phase = "lost";
    this.#workerCrashes++;
    this.#live = NOT_LIVE;
    this.#log("error", "tunnel lost, it is started again", {
      reason,
      crashes: this.#workerCrashes,
    });
    this.#setStatus("error", reason);
  }

  get #isOver(): boolean {
    return this.#until !== undefined && monotonicMs() >= this.#until;
  }

  #endOfTime(): void {
    this.#stopReason = TIME_OVER;
    this.#stopped();
    this.#hooks.onTimeOver();
  }

  #stopped(): void {
    this.#run = undefined;
    this.#phase = "stopped";
    this.#retryAt = undefined;
    this.#live = NOT_LIVE;
    this.#hooks.onAddresses();
    this.#setStatus("stopped", this.#stopReason);
  }

  #setStatus(status: InstanceStatus, reason: string | undefined, isOther = false): void {
    const shown = status === "running" ? undefined : reason;
    const told =
      isOther || this.#status !== status || (status === "stopped" && this.#reason !== shown);
    if (this.#status !== status) this.#since = this.#now();
    this.#status = status;
    this.#reason = shown;
    this.#hooks.onChange(told);
    this.#changes.notify();
  }

  #log(level: LogLineLevel, message: string, fields: LogFields): void {
    this.#hooks.onLog({ level, message, fields });
  }
}
