import type { LogFields, Logger as ModelLogger } from "@nodepass/model";
import { Logger as TsLogger } from "tslog";
import { formatJsonLine } from "./json-line.ts";
import {
  type CheckPointLike,
  type LogLineLevel,
  type LogRecordLike,
  type LogThreshold,
  maskedValue,
  secretFieldNames,
} from "./log-entry.ts";
import { formatCheckPoint, formatLogLine, wholeCheckPoint } from "./log-line.ts";

/** What a logger lets through and how it writes it. */
export interface LoggerOptions {
  /** Least level that is written. @default "info" */
  readonly level?: LogThreshold | undefined;
  /** Lines of text as NodePass writes them, or one JSON object a line. @default "text" */
  readonly format?: "text" | "json" | undefined;
  /** Colour the level of text lines. @default false */
  readonly colour?: boolean | undefined;
  /** Takes one whole line, its line feed included. */
  readonly write: (line: string) => void;
  /** The time of a line. @default () => new Date() */
  readonly clock?: (() => Date) | undefined;
}

/** Writes log lines; what it adds to the `Logger` that the packages take is for apps. */
export interface Logger extends ModelLogger {
  /** Writes a tunnel's log record. */
  record(record: LogRecordLike): void;
  /** Writes a check point as an EVENT line; in JSON its numbers are the fields. */
  checkPoint(checkPoint: CheckPointLike, fields?: LogFields): void;
  /** Whether a line of this level would be written. */
  isEnabled(level: LogLineLevel): boolean;
}

const levelIds: Readonly<Record<LogThreshold, number>> = {
  debug: 2,
  info: 3,
  warn: 4,
  error: 5,
  event: 6,
  none: Number.POSITIVE_INFINITY,
};

const lineLevels = ["debug", "info", "warn", "error", "event"] as const;

/** The user part of a URL, which is the tunnel's key: URLs are not logged, but errors quote them. */
const urlKey = /(?<=\b(?:server|client|master):\/\/)[^@/\s]*(?=@)/gi;

/**
 * Creates a logger that writes nothing but through `write`.
 *
 * Values of fields named like secrets are masked, and so is the key in a tunnel URL in any text.
 */
export function createLogger(options: LoggerOptions): Logger {
  const threshold = levelIds[options.level ?? "info"];
  const colour = options.colour ?? false;
  const toLine = options.format === "json" ? formatJsonLine : formatLogLine;
  const sink = new TsLogger<Record<string, unknown>>({
    type: "hidden",
    // `none` is held back before it gets here: tslog warns of levels above its own.
    minLevel: Math.min(threshold, levelIds.event),
    customLevels: { EVENT: levelIds.event },
    stack: { capture: "off" },
    mask: {
      keys: [...secretFieldNames],
      caseInsensitive: true,
      regex: [urlKey],
      placeholder: maskedValue,
    },
    clock: options.clock ?? (() => new Date()),
  });
  sink.attachTransport({
    name: "lines",
    format: (record) =>
      `${toLine(
        {
          time: record._logMeta?.date ?? new Date(),
          level: toLevel(record._logMeta?.logLevelId),
          message: String(record["1"]),
          fields: toFields(record["0"]),
        },
        { colour },
      )}\n`,
    write: (_record, line) => options.write(line),
  });

  const isEnabled = (level: LogLineLevel): boolean => levelIds[level] >= threshold;
  const log = (level: LogLineLevel, fields: LogFields, message: string): void => {
    // The order of the two arguments is what the transport's "0" and "1" stand for.
    if (isEnabled(level)) sink.log(levelIds[level], level.toUpperCase(), fields, message);
  };

  return {
    debug: (fields, message) => log("debug", fields, message),
    info: (fields, message) => log("info", fields, message),
    warn: (fields, message) => log("warn", fields, message),
    error: (fields, message) => log("error", fields, message),
    record: (record) => log(record.level, record.fields, record.message),
    checkPoint: (checkPoint, fields = {}) => {
      if (!isEnabled("event")) return;
      // A text line holds the numbers, in the form that programs read; in JSON they are fields, and
      // the message is the same for all.
      if (options.format === "json") {
        log("event", { ...wholeCheckPoint(checkPoint), ...fields }, "check point");
      } else {
        log("event", fields, formatCheckPoint(checkPoint));
      }
    },
    isEnabled,
  };
}

function toLevel(id: number | undefined): LogLineLevel {
  return lineLevels.find((level) => levelIds[level] === id) ?? "error";
}

/** The fields as tslog hands them on: a masked copy, of which plain values are kept. */
function toFields(value: unknown): LogFields {
  const fields: Record<string, string | number | boolean> = {};
  if (typeof value === "object" && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      if (typeof field === "string" || typeof field === "number" || typeof field === "boolean") {
        fields[name] = field;
      }
    }
  }
  return fields;
}
