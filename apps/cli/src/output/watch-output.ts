/** What of a stream this watches. */
export interface FailingOutput {
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** What became of an output. */
export interface OutputWatch {
  /** Aborts when the reader is gone (`| head`). */
  readonly closed: AbortSignal;
  /** The first failure of another kind, such as a full disk. */
  failure(): Error | undefined;
}

/** Keeps failures of an output from ending the process, and remembers them. */
export function watchOutput(output: FailingOutput): OutputWatch {
  const closed = new AbortController();
  let failure: Error | undefined;
  output.on("error", (error) => {
    // EIO is what a terminal that has gone away answers.
    if (error.code === "EPIPE" || error.code === "EIO") closed.abort();
    else failure ??= error;
  });
  return { closed: closed.signal, failure: () => failure };
}
