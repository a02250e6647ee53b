import type { LogEntry } from "./log-entry.ts";
import { maskFields } from "./log-line.ts";

/**
 * Writes one line as a JSON object with the properties `time` (RFC 3339, UTC), `level`, `message`
 * and `fields` (an object, `{}` if there are none).
 *
 * Nothing is cut or replaced, but characters that terminals obey stand as JSON escapes. Values of
 * fields that are named like secrets are masked.
 *
 * @returns the line without a line feed
 */
export function formatJsonLine(entry: LogEntry): string {
  const line = JSON.stringify({
    time: entry.time.toISOString(),
    level: entry.level,
    message: entry.message,
    fields: maskFields(entry.fields ?? {}),
  });
  // JSON.stringify escapes the controls below U+0020 only.
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
