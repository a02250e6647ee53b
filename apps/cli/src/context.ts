/** A stream that a command writes text to. */
export interface TextOutput {
  /** Set if it is a terminal. */
  readonly isTTY?: boolean | undefined;
  /** Size of the terminal, in characters. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
  /** Tells when the terminal has another size. */
  on?(event: "resize", listener: () => void): unknown;
  off?(event: "resize", listener: () => void): unknown;
}

/** Where a command reads what people type or pipe into it. */
export interface TextInput extends AsyncIterable<string | Buffer> {
  /** Set if it is a terminal. */
  readonly isTTY?: boolean | undefined;
  /** Turns a terminal's own line editing and echo off or on. */
  setRawMode?(raw: boolean): unknown;
  setEncoding(encoding: "utf8"): unknown;
  on(event: "data", listener: (text: string) => void): unknown;
  off(event: "data", listener: (text: string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** What a command may use of the process: the only way to the outside, so that tests can watch it. */
export interface CliContext {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  /** Path of the program that runs. */
  readonly program?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly stdin: TextInput;
  /** Starts to listen for requests to stop; called once, by commands that run until then. */
  readonly watchStop: (options?: WatchStopOptions) => StopRequests;
  /**
   * Does something at the end of the process, however it comes about.
   * @returns a function that takes it back
   */
  readonly atExit: (restore: () => void) => () => void;
}

/** Why a long command should end. */
export type StopReason = "SIGINT" | "SIGTERM" | "SIGHUP" | "output closed";

/** What signals mean to a command. */
export interface WatchStopOptions {
  /** Is done at SIGHUP, in place of a stop. */
  readonly onHangup?: (() => void) | undefined;
}

/** Requests to stop, first gracefully, then at once. */
export interface StopRequests {
  /** Resolves at the first signal, or when the reader of standard output is gone. */
  readonly requested: Promise<StopReason>;
  /** Aborts at the second signal; its reason is a `CliError` with the exit code. */
  readonly now: AbortSignal;
}
