/** Opens a tunnel; the run's number is the tunnel's name from then on. */
export interface OpenCommand {
  readonly kind: "open";
  readonly run: number;
  /** A complete tunnel URL, as `format()` of url-config writes it. */
  readonly config: string;
}

/** Closes a tunnel: connections get `timeoutMs` to finish. Answered by `closed`. */
export interface CloseCommand {
  readonly kind: "close";
  readonly run: number;
  readonly timeoutMs: number;
}

/** Asks for a tunnel's counters now. Answered by `counters`, if the tunnel is there. */
export interface ReadCommand {
  readonly kind: "read";
  readonly run: number;
}

/** What the main thread tells a runner of tunnels. */
export type RunnerCommand = OpenCommand | CloseCommand | ReadCommand;

/**
 * Checks a message from the main thread.
 *
 * @throws {TypeError} if it is no command
 */
export function readRunnerCommand(value: unknown): RunnerCommand {
  if (typeof value === "object" && value !== null && "kind" in value && "run" in value) {
    const { kind, run } = value;
    if (typeof run === "number" && Number.isSafeInteger(run)) {
      if (kind === "open" && "config" in value && typeof value.config === "string") {
        return { kind, run, config: value.config };
      }
      if (kind === "close" && "timeoutMs" in value && isDuration(value.timeoutMs)) {
        return { kind, run, timeoutMs: value.timeoutMs };
      }
      if (kind === "read") return { kind, run };
    }
  }
  throw new TypeError("message is no runner command");
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
