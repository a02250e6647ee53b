import type { LogFields, Logger } from "@nodepass/logging";

type UnknownFields = Readonly<Record<string, unknown>>;

/** Where the API reports faults. */
export interface ApiLogger {
  warn(fields: UnknownFields, message: string): void;
  error(fields: UnknownFields, message: string): void;
}

/** A logger for values of any kind, over one that takes plain ones. */
export function toApiLogger(logger: Logger): ApiLogger {
  return {
    warn: (fields, message) => logger.warn(toLogFields(fields), message),
    error: (fields, message) => logger.error(toLogFields(fields), message),
  };
}

function toLogFields(fields: UnknownFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, toLogValue(value)]),
  );
}

function toLogValue(value: unknown): LogFields[string] {
  if (value === undefined || typeof value === "number" || typeof value === "boolean") return value;
  // A fault of the program: where it happened is what somebody needs who looks for it.
  if (value instanceof Error) return value.stack ?? value.message;
  return String(value);
}
