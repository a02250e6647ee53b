import { constants } from "node:os";
import type { StopReason, StopRequests, WatchStopOptions } from "./context.ts";
import { CliError, exitCodes } from "./exit-code.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What of a process this listens to. */
export interface StopSource {
  on(event: (typeof signals)[number], listener: () => void): unknown;
}

/**
 * Listens for signals: the first asks for a graceful stop, the second for one at once.
 *
 * @param outputClosed aborts when nobody reads standard output any more, which asks for a graceful
 *   stop too: a command in a pipe ends with its reader
 */
export function watchStopRequests(
  source: StopSource,
  outputClosed: AbortSignal,
  { onHangup }: WatchStopOptions = {},
): StopRequests {
  let resolve: (reason: StopReason) => void = () => undefined;
  const requested = new Promise<StopReason>((settle) => {
    resolve = settle;
  });
  const now = new AbortController();
  let stopping = false;
  for (const signal of signals) {
    source.on(signal, () => {
      if (signal === "SIGHUP" && onHangup !== undefined) {
        onHangup();
        return;
      }
      if (stopping) {
        const exitCode = exitCodes.signalBase + constants.signals[signal];
        now.abort(new CliError(`cut by a second signal (${signal})`, { exitCode }));
      }
      stopping = true;
      resolve(signal);
    });
  }
  const onClosed = () => resolve("output closed");
  if (outputClosed.aborted) onClosed();
  else outputClosed.addEventListener("abort", onClosed, { once: true });
  return { requested, now: now.signal };
}

/** Rejects with the signal's reason when it aborts. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
