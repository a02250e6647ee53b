import type { LogFields } from "@nodepass/model";
import {
  type CheckPointLike,
  type LogEntry,
  type LogLineLevel,
  maskedValue,
  secretFieldNames,
} from "./log-entry.ts";
import { safeText } from "./safe-text.ts";

/** How a line is written. */
export interface LogLineOptions {
  /** Colour the level, and nothing else. @default false */
  readonly colour?: boolean | undefined;
}

// Exactly these: dashboards of NodePass masters translate these sequences and show others as junk.
const colours: Readonly<Record<LogLineLevel, number>> = {
  debug: 34,
  info: 32,
  warn: 33,
  error: 31,
  event: 36,
};

/**
 * Writes one line as NodePass does: `YYYY-MM-DD hh:mm:ss.mmm  LEVEL  message key=value`, local
 * time, the level padded to five columns.
 *
 * Text and values are made safe for terminals and for pages that show lines as HTML; values with
 * spaces, quotes or `=` are quoted; values of fields that are named like secrets are masked.
 *
 * @returns the line without a line feed
 */
export function formatLogLine(entry: LogEntry, options: LogLineOptions = {}): string {
  const name = entry.level.toUpperCase().padEnd(5);
  const level = options.colour === true ? `\x1b[${colours[entry.level]}m${name}\x1b[0m` : name;
  const fields = entry.fields === undefined ? "" : formatFields(entry.fields);
  return `${formatLocalTime(entry.time)}  ${level}  ${safeText(entry.message)}${fields}`;
}

/**
 * Writes a check point as the text of an EVENT line, whole numbers only:
 * `CHECK_POINT|MODE=1|PING=1ms|POOL=2|TCPS=0|UDPS=1|TCPRX=9|TCPTX=12|UDPRX=9|UDPTX=12`.
 */
export function formatCheckPoint(checkPoint: CheckPointLike): string {
  const c = wholeCheckPoint(checkPoint);
  return (
    `CHECK_POINT|MODE=${c.mode}|PING=${c.ping}ms|POOL=${c.pool}|TCPS=${c.tcps}|UDPS=${c.udps}` +
    `|TCPRX=${c.tcprx}|TCPTX=${c.tcptx}|UDPRX=${c.udprx}|UDPTX=${c.udptx}`
  );
}

/** The nine numbers of a check point, rounded, none below zero; other properties are left out. */
export function wholeCheckPoint(checkPoint: CheckPointLike): CheckPointLike {
  const whole = (value: number) => (value > 0 ? Math.round(value) : 0);
  return {
    mode: whole(checkPoint.mode),
    ping: whole(checkPoint.ping),
    pool: whole(checkPoint.pool),
    tcps: whole(checkPoint.tcps),
    udps: whole(checkPoint.udps),
    tcprx: whole(checkPoint.tcprx),
    tcptx: whole(checkPoint.tcptx),
    udprx: whole(checkPoint.udprx),
    udptx: whole(checkPoint.udptx),
  };
}

/** A copy with the values of fields that are named like secrets masked. */
export function maskFields(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value !== undefined && isSecretName(name) ? maskedValue : value,
    ]),
  );
}

function isSecretName(name: string): boolean {
  return secretFieldNames.includes(name.toLowerCase());
}

function formatFields(fields: LogFields): string {
  let text = "";
  for (const [name, value] of Object.entries(maskFields(fields))) {
    if (value !== undefined) {
      text += ` ${safeText(name)}=${typeof value === "string" ? formatText(value) : value}`;
    }
  }
  return text;
}

function formatText(value: string): string {
  const text = safeText(value);
  return text === "" || /[\s"=]/.test(text) ? `"${text.replaceAll('"', '\\"')}"` : text;
}

function formatLocalTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const year = String(time.getFullYear()).padStart(4, "0");
  const date = `${year}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}
