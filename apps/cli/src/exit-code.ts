/** What the command's exit codes mean; README.md has the table for users. */
export const exitCodes = {
  /** Done, or stopped as asked. */
  ok: 0,
  /** Could not do it: a bad URL, a port in use, refused by the master, an unexpected error. */
  failure: 1,
  /** Wrong usage: unknown command or option, missing argument. */
  usage: 2,
  /** The master has no such instance, or more than one could be meant. */
  notFound: 3,
  /** The master wants a key, or another one. */
  unauthorized: 4,
  /** No answer of a master: connection, certificate, time-out, or something else answers there. */
  unreachable: 5,
  /** Plus the signal's number: cut by a second signal. */
  signalBase: 128,
} as const;

/**
 * A failure that the user can do something about: its message is shown, and nothing else. An empty
 * message means that all has been said.
 */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;
  /** What else there is to say, line by line. */
  readonly details: readonly DetailLine[];

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? exitCodes.failure;
    this.details = options.details ?? [];
  }
}

/** A line; as a function if it names a command: it is given what people type for `nodepass`. */
export type DetailLine = string | ((command: string) => string);

/** What may be known of a failure beside its message. */
export interface CliErrorOptions extends ErrorOptions {
  /** @default 1, failure */
  readonly exitCode?: number | undefined;
  /** Lines that follow the message. */
  readonly details?: readonly DetailLine[] | undefined;
}
