import type { Clock } from "../../src/index.ts";

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Moves both times on and fires what is due, in order. */
  advance(ms: number): void;
  /** Timers that have not fired. */
  readonly pending: number;
}

export function createFakeClock(start = Date.parse("2026-01-02T03:04:05.678Z")): FakeClock {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => start + now,
    monotonic: () => now,
    after: (delayMs, callback) => {
      const timer = { at: now + delayMs, callback };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    advance: (ms) => {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.callback();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}
