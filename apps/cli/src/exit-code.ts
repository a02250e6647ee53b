import { plainText } from "./output/terminal-text.ts";

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
  /** `diff`: the master or fleet is not what the files say. */
  differs: 6,
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

/** Exit codes of what `@nodepass/master-client` throws, by its code. */
const clientExitCodes: Readonly<Record<string, number>> = {
  INVALID: exitCodes.usage,
  NOT_FOUND: exitCodes.notFound,
  PROFILES_UNUSABLE: exitCodes.failure,
  REFUSED: exitCodes.failure,
  UNAUTHORIZED: exitCodes.unauthorized,
  UNREACHABLE: exitCodes.unreachable,
};

/**
 * An error as one of ours, if it is one or a master client's; matched by name and code, so that
 * commands that ask no master do not load the client. A master may have sent part of its text.
 */
export function asCliError(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error && error.name === "MasterClientError" && "code" in error)) {
    return undefined;
  }
  const details = "details" in error && Array.isArray(error.details) ? error.details : [];
  return new CliError(plainText(error.message), {
    exitCode: clientExitCodes[String(error.code)],
    details: details.map((line) => plainText(String(line))),
    cause: error,
  });
}

/** What may be known of a failure beside its message. */
export interface CliErrorOptions extends ErrorOptions {
  /** @default 1, failure */
  readonly exitCode?: number | undefined;
  /** Lines that follow the message. */
  readonly details?: readonly DetailLine[] | undefined;
}
