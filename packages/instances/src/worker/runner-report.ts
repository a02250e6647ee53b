import type { BoundAddress } from "../instance.ts";

/** A tunnel has opened, or its state or addresses have changed. */
export interface StateReport {
  readonly kind: "state";
  readonly run: number;
  readonly state: "starting" | "running" | "error";
  readonly reason: string | undefined;
  readonly mode: 0 | 1 | 2;
  readonly tunnelAddress: BoundAddress | undefined;
  readonly entryAddress: BoundAddress | undefined;
}

/** Live counters of tunnels that changed since the last report. */
export interface CountersReport {
  readonly kind: "counters";
  /** `COUNTER_COLUMNS` numbers a tunnel: its run, then a `LiveCounters`. */
  readonly rows: readonly number[];
}

/** A line of a tunnel's log that its level lets through. */
export interface LogReport {
  readonly kind: "log";
  readonly run: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: LogReportLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean | undefined>>;
}

export type LogReportLevel = "debug" | "info" | "warn" | "error";

/** A run is over: closed as asked (no reason), could not open, or ended by itself. */
export interface ClosedReport {
  readonly kind: "closed";
  readonly run: number;
  readonly reason: string | undefined;
}

/** What a runner of tunnels tells the main thread. */
export type RunnerReport = StateReport | CountersReport | LogReport | ClosedReport;

/** Counters of one tunnel since it opened; sizes in bytes, ping in ms. */
export interface LiveCounters {
  readonly tcps: number;
  readonly udps: number;
  readonly tcprx: number;
  readonly tcptx: number;
  readonly udprx: number;
  readonly udptx: number;
  readonly pool: number;
  readonly ping: number;
}

/** Of a tunnel that has carried nothing. */
export const NO_COUNTERS: LiveCounters = {
  tcps: 0,
  udps: 0,
  tcprx: 0,
  tcptx: 0,
  udprx: 0,
  udptx: 0,
  pool: 0,
  ping: 0,
};

/** Numbers of one row of a `CountersReport`. */
export const COUNTER_COLUMNS = 9;

/** Adds a row for one tunnel. */
export function pushCounters(rows: number[], run: number, c: LiveCounters): void {
  rows.push(run, c.tcps, c.udps, c.tcprx, c.tcptx, c.udprx, c.udptx, c.pool, c.ping);
}

/** Reads the rows of a report. */
export function eachCounters(
  rows: readonly number[],
  visit: (run: number, counters: LiveCounters) => void,
): void {
  for (let at = 0; at + COUNTER_COLUMNS <= rows.length; at += COUNTER_COLUMNS) {
    const column = (index: number): number => rows[at + index] ?? 0;
    visit(column(0), {
      tcps: column(1),
      udps: column(2),
      tcprx: column(3),
      tcptx: column(4),
      udprx: column(5),
      udptx: column(6),
      pool: column(7),
      ping: column(8),
    });
  }
}

const STATES: ReadonlySet<unknown> = new Set(["starting", "running", "error"]);
const LEVELS: ReadonlySet<unknown> = new Set(["debug", "info", "warn", "error"]);

/**
 * Checks a message from a worker.
 *
 * @throws {TypeError} if it is no report
 */
export function readRunnerReport(value: unknown): RunnerReport {
  if (isRunnerReport(value)) return value;
  throw new TypeError("message is no runner report");
}

function isRunnerReport(value: unknown): value is RunnerReport {
  if (!isRecord(value)) return false;
  if (value.kind === "counters") {
    const { rows } = value;
    return (
      Array.isArray(rows) &&
      rows.length % COUNTER_COLUMNS === 0 &&
      rows.every((item) => Number.isFinite(item) && item >= 0)
    );
  }
  if (!Number.isSafeInteger(value.run)) return false;
  switch (value.kind) {
    case "state":
      return (
        STATES.has(value.state) &&
        isOptionalText(value.reason) &&
        (value.mode === 0 || value.mode === 1 || value.mode === 2) &&
        isOptionalAddress(value.tunnelAddress) &&
        isOptionalAddress(value.entryAddress)
      );
    case "log":
      return (
        Number.isFinite(value.time) &&
        LEVELS.has(value.level) &&
        typeof value.message === "string" &&
        isRecord(value.fields) &&
        Object.values(value.fields).every(isFieldValue)
      );
    case "closed":
      return isOptionalText(value.reason);
    default:
      return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isFieldValue(value: unknown): boolean {
  return value === undefined || ["string", "number", "boolean"].includes(typeof value);
}

function isOptionalAddress(value: unknown): boolean {
  if (value === undefined) return true;
  return isRecord(value) && typeof value.host === "string" && Number.isInteger(value.port);
}
