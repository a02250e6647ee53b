/** What the command's exit codes mean; README.md has the table for users. */
export const exitCodes = {
  /** Done, or stopped as asked. */
  ok: 0,
  /** Could not do it: a bad URL, a port in use, an unexpected error. */
  failure: 1,
  /** Wrong usage: unknown command or option, missing argument. */
  usage: 2,
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

  constructor(message: string, options: ErrorOptions & { exitCode?: number | undefined } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? exitCodes.failure;
  }
}
