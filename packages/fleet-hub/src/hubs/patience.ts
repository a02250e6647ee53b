import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "@nodepass/model";

const RETRY_MS = 500;

/**
 * Tries again what fails, until the time is over: an engine that has just begun takes connections before
 * its store has a leader.
 *
 * @throws what it failed with last
 */
export async function withPatience<Result>(
  timeoutMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() + RETRY_MS > until) throw error;
      await delay(RETRY_MS);
    }
  }
}

/** @throws {ServiceError} `UNAVAILABLE` if it takes longer */
export async function withinTime<Result>(
  timeoutMs: number,
  what: string,
  work: Promise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const text = `${what} took longer than ${timeoutMs / 1000} s`;
      reject(new ServiceError("UNAVAILABLE", text));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
