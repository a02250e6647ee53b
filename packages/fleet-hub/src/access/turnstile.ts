import { ServiceError } from "@nodepass/model";

/** Lets a few through at a time; the others wait in a row that has an end. */
export interface Turnstile {
  /** @throws {ServiceError} `LIMIT_REACHED` if the row is full; else what `work` rejects with */
  pass<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Whether nobody is inside. */
  isIdle(): boolean;
}

/** @param atOnce let through at a time @param most that wait */
export function createTurnstile(atOnce: number, most: number, what: string): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return {
    isIdle: () => inside === 0,
    pass: async (work) => {
      if (inside >= atOnce) {
        if (waiting.length >= most) {
          throw new ServiceError("LIMIT_REACHED", `more than ${most} ${what} wait already`);
        }
        // Who leaves hands its place on, so `inside` stays.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else inside += 1;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) inside -= 1;
        else next();
      }
    },
  };
}
