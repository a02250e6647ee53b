import type { Clock } from "../clock.ts";

/** Lets a bounded number of tasks run; the next ones wait for a moment, in order. */
export interface Turnstile {
  /** @returns a function that gives the place back, or `undefined` if none came free in time */
  enter(): Promise<(() => void) | undefined>;
}

export interface TurnstileLimits {
  readonly places: number;
  readonly waitMs: number;
  /** Those beyond are turned away at once. */
  readonly maxWaiting: number;
}

export function createTurnstile(clock: Clock, limits: TurnstileLimits): Turnstile {
  let free = limits.places;
  const waiting = new Set<() => void>();

  const leaveOnce = (): (() => void) => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = waiting.values().next();
      if (next.done === true) free += 1;
      else next.value();
    };
  };

  return {
    enter: async () => {
      if (free > 0) {
        free -= 1;
        return leaveOnce();
      }
      if (waiting.size >= limits.maxWaiting) return undefined;
      return new Promise((resolve) => {
        const settle = (place: (() => void) | undefined): void => {
          waiting.delete(proceed);
          cancel();
          resolve(place);
        };
        const proceed = (): void => settle(leaveOnce());
        const cancel = clock.after(limits.waitMs, () => settle(undefined));
        waiting.add(proceed);
      });
    },
  };
}
