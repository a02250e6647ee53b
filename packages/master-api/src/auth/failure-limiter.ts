import type { Clock } from "../clock.ts";

/** How many wrong keys are answered with a plain 401. */
export interface FailureLimits {
  /** Wrong keys in a row from one address. @default 20 */
  readonly burst: number;
  /** And then one each so many ms. @default 1000 */
  readonly refillMs: number;
  /** The same for all addresses together. @default 200 */
  readonly totalBurst: number;
  /** @default 50 */
  readonly totalRefillMs: number;
  /** Addresses remembered; the longest silent one is forgotten. @default 1024 */
  readonly maxAddresses: number;
}

export const DEFAULT_FAILURE_LIMITS: FailureLimits = {
  burst: 20,
  refillMs: 1000,
  totalBurst: 200,
  totalRefillMs: 50,
  maxAddresses: 1024,
};

/** Counts wrong keys. */
export interface FailureLimiter {
  /** @returns 0 if this failure is within the limits, else the seconds to wait */
  fail(address: string): number;
}

/** A token bucket as one number: the time at which it is full again. */
function spend(fullAt: number, now: number, burst: number, refillMs: number) {
  const next = Math.max(fullAt, now) + refillMs;
  const waitMs = next - now - burst * refillMs;
  // A refused attempt costs nothing, so that the bucket empties while somebody hammers it.
  return waitMs > 0 ? { fullAt, waitMs } : { fullAt: next, waitMs: 0 };
}

/**
 * Wrong keys cost work and fill logs; above the limits they are answered 429. The right key is
 * never refused: a key of 128 random bits is not found by asking, and a lock would let anybody
 * behind the same address lock the owner out.
 */
export function createFailureLimiter(
  clock: Clock,
  limits: FailureLimits = DEFAULT_FAILURE_LIMITS,
): FailureLimiter {
  const fullAt = new Map<string, number>();
  let totalFullAt = 0;
  return {
    fail(address) {
      const now = clock.monotonic();
      const own = spend(fullAt.get(address) ?? 0, now, limits.burst, limits.refillMs);
      fullAt.delete(address);
      fullAt.set(address, own.fullAt);
      if (fullAt.size > limits.maxAddresses) {
        const oldest = fullAt.keys().next();
        if (oldest.done !== true) fullAt.delete(oldest.value);
      }
      const total = spend(totalFullAt, now, limits.totalBurst, limits.totalRefillMs);
      totalFullAt = total.fullAt;
      const waitMs = Math.max(own.waitMs, total.waitMs);
      return waitMs > 0 ? Math.max(1, Math.ceil(waitMs / 1000)) : 0;
    },
  };
}
