/** Values of a log line; `undefined` ones are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Levels of a line, least first. */
export type LogLineLevel = "debug" | "info" | "warn" | "error";

/** Where packages tell what they do: fixed lower-case text, the values as fields. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

const nothing = (): undefined => undefined;

/** A logger that keeps it to itself. */
export const SILENT_LOGGER: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};
