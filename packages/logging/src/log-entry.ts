import type { LogFields } from "@nodepass/model";

/** Levels of a log line, least first; check points are `event` lines. */
export type LogLineLevel = "debug" | "info" | "warn" | "error" | "event";

/**
 * What a logger lets through: a level and everything above it. `event` is the highest, so check
 * points appear at every level except `none`, which lets nothing through.
 */
export type LogThreshold = LogLineLevel | "none";

/** One log line before it is text. */
export interface LogEntry {
  readonly time: Date;
  readonly level: LogLineLevel;
  /** Fixed lower-case text. */
  readonly message: string;
  readonly fields?: LogFields | undefined;
}

/** What of a tunnel's log record a line needs (`LogRecord` of tunnel-core fits). */
export interface LogRecordLike {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** The numbers of a check point line (`CheckPoint` of tunnel-core fits). */
export interface CheckPointLike {
  readonly mode: number;
  /** Milliseconds. */
  readonly ping: number;
  readonly pool: number;
  readonly tcps: number;
  readonly udps: number;
  /** Bytes, as the four that follow. */
  readonly tcprx: number;
  readonly tcptx: number;
  readonly udprx: number;
  readonly udptx: number;
}

/** Names of fields whose values are secrets, in lower case; matched without regard to case. */
export const secretFieldNames: readonly string[] = [
  "key",
  "token",
  "password",
  "secret",
  "apikey",
  "authorization",
];

/** What stands in a line for a secret. */
export const maskedValue = "***";
