import { describe, expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { createFailureLimiter } from "./failure-limiter.ts";

const limits = { burst: 3, refillMs: 1000, totalBurst: 8, totalRefillMs: 100, maxAddresses: 4 };

function createLimiter() {
  let now = 0;
  const clock: Clock = { now: () => 0, monotonic: () => now, after: () => () => undefined };
  const limiter = createFailureLimiter(clock, limits);
  return { limiter, wait: (ms: number) => (now += ms) };
}

describe("createFailureLimiter", () => {
  test("lets a burst pass, then one each interval, and says how long to wait", () => {
    const { limiter, wait } = createLimiter();
    expect([1, 2, 3, 4].map(() => limiter.fail("a"))).toEqual([0, 0, 0, 1]);
    wait(999);
    expect(limiter.fail("a")).toBe(1);
    wait(1);
    expect([limiter.fail("a"), limiter.fail("a")]).toEqual([0, 1]);
  });

  test("does not make the wait longer for who hammers", () => {
    const { limiter, wait } = createLimiter();
    for (let i = 0; i < 100; i += 1) limiter.fail("a");
    wait(3000);
    expect([1, 2, 3, 4].map(() => limiter.fail("a"))).toEqual([0, 0, 0, 1]);
  });

  test("counts addresses apart, and all of them together", () => {
    const { limiter } = createLimiter();
    const answers = [..."abcdefghij"].map((address) => limiter.fail(address));
    expect(answers).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  });

  test("remembers only so many addresses", () => {
    const { limiter, wait } = createLimiter();
    for (let i = 0; i < 3; i += 1) limiter.fail("a");
    expect(limiter.fail("a")).toBe(1);
    for (const address of "bcde") {
      wait(100);
      limiter.fail(address);
    }
    expect(limiter.fail("a")).toBe(0);
  });
});
