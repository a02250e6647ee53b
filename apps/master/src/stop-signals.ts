import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The same signal again within this time, ms, is the same request: npx and timeout(1) pass on to
 * their program what the terminal or `kill` has sent to the whole group.
 */
const SAME_REQUEST_MS = 1000;

/** What of a process this listens to. */
export interface SignalSource {
  on(event: (typeof signals)[number], listener: () => void): unknown;
}

/** Signals as requests to stop. */
export interface StopSignals {
  /** Resolves at the first one, with its name. */
  readonly first: Promise<string>;
  /** Resolves at the second one, with the exit code that it asks for. */
  readonly second: Promise<number>;
  /** Aborts at the first one: for what is still starting. */
  readonly signal: AbortSignal;
}

/**
 * Listens for signals: the first asks for a graceful stop, the second for one at once; the same
 * one within a second is no second one.
 *
 * @param onHangup is done at SIGHUP, in place of a stop
 */
export function watchStopSignals(source: SignalSource, onHangup?: () => void): StopSignals {
  const abort = new AbortController();
  let onFirst: (name: string) => void = () => undefined;
  let onSecond: (exitCode: number) => void = () => undefined;
  const first = new Promise<string>((resolve) => {
    onFirst = resolve;
  });
  const second = new Promise<number>((resolve) => {
    onSecond = resolve;
  });
  let known: { readonly name: string; readonly at: number } | undefined;
  for (const name of signals) {
    source.on(name, () => {
      if (name === "SIGHUP" && onHangup !== undefined) {
        onHangup();
        return;
      }
      if (known === undefined) {
        known = { name, at: performance.now() };
        onFirst(name);
        abort.abort();
        return;
      }
      if (name === known.name && performance.now() - known.at < SAME_REQUEST_MS) return;
      onSecond(128 + constants.signals[name]);
    });
  }
  return { first, second, signal: abort.signal };
}
