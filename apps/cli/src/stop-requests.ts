import { constants } from "node:os";
import type { StopReason, StopRequests, WatchStopOptions } from "./context.ts";
import { CliError, exitCodes } from "./exit-code.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The same signal again within this time, ms, is the same request: npm, npx, `npm start` and
 * timeout(1) pass on to their program what the terminal or `kill` has sent to the whole group.
 */
const SAME_REQUEST_MS = 1000;

/** What of a process this listens to. */
export interface StopSource {
  on(event: (typeof signals)[number], listener: () => void): unknown;
}

/**
 * Listens for signals: the first asks for a graceful stop, the second for one at once; the same
 * one within a second is no second one.
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
  let first: { readonly signal: string; readonly at: number } | undefined;
  for (const signal of signals) {
    source.on(signal, () => {
      if (signal === "SIGHUP" && onHangup !== undefined) {
        onHangup();
        return;
      }
      if (first === undefined) {
        first = { signal, at: performance.now() };
        resolve(signal);
        return;
      }
      if (signal === first.signal && performance.now() - first.at < SAME_REQUEST_MS) return;
      const exitCode = exitCodes.signalBase + constants.signals[signal];
      now.abort(new CliError(`cut by a second signal (${signal})`, { exitCode }));
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
