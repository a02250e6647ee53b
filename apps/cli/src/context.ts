/** A stream that a command writes text to. */
export interface TextOutput {
  /** Set if it is a terminal. */
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal. */
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** What a command may use of the process: the only way to the outside, so that tests can watch it. */
export interface CliContext {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Starts to listen for requests to stop; called once, by commands that run until then. */
  readonly watchStop: () => StopRequests;
}

/** Why a long command should end. */
export type StopReason = "SIGINT" | "SIGTERM" | "SIGHUP" | "output closed";

/** Requests to stop, first gracefully, then at once. */
export interface StopRequests {
  /** Resolves at the first signal, or when the reader of standard output is gone. */
  readonly requested: Promise<StopReason>;
  /** Aborts at the second signal; its reason is a `CliError` with the exit code. */
  readonly now: AbortSignal;
}
