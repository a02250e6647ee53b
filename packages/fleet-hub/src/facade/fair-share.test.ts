import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { createFairShare } from "./fair-share.ts";

/** @returns what each got of what it wanted in a second, asking in turn or one before the other */
function play(perSecond: number) {
  const time = new SimulatedTime();
  const take = createFairShare(perSecond, new SimulatedClock(time));
  return (wanted: Readonly<Record<string, number>>): Record<string, number> => {
    const got: Record<string, number> = {};
    for (const [who, count] of Object.entries(wanted)) {
      got[who] = Array.from({ length: count }, () => take(who)).filter(Boolean).length;
    }
    time.now += 1000;
    return got;
  };
}

test("one alone has all of it, and no more", () => {
  const second = play(100);
  expect(second({ a: 80 })).toEqual({ a: 80 });
  expect(second({ a: 500 })).toEqual({ a: 100 });
  expect(second({ a: 500 })).toEqual({ a: 100 });
});

test("one that wants all leaves the others their share, whoever comes first", () => {
  const second = play(100);
  second({ greedy: 10_000 });
  // Who has just begun has a share at once.
  expect(second({ greedy: 10_000, b: 30, c: 30 })).toMatchObject({ b: 30, c: 30 });
  for (let round = 0; round < 3; round += 1) {
    expect(second({ greedy: 10_000, b: 30, c: 30 })).toEqual({ greedy: 39, b: 30, c: 30 });
  }
  // What some do not need of theirs, the others get.
  second({ greedy: 10_000, b: 5, c: 5 });
  expect(second({ greedy: 10_000, b: 5, c: 5 })).toEqual({ greedy: 89, b: 5, c: 5 });
  expect(second({ greedy: 10_000, other: 10_000 })).toMatchObject({ other: 25 });
  expect(second({ greedy: 10_000, other: 10_000 })).toEqual({ greedy: 50, other: 50 });
});

test("a hundred that want much get the same, and not much more than there is", () => {
  const second = play(1000);
  const wanted = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`m${at}`, 500]));
  const sum = (got: Record<string, number>) => Object.values(got).reduce((all, one) => all + one);
  expect(sum(second(wanted))).toBeLessThanOrEqual(2000);
  const got = second(wanted);
  expect(new Set(Object.values(got))).toEqual(new Set([10]));
  // After a silence it begins anew.
  second({});
  second({});
  expect(second({ m0: 5000 })).toEqual({ m0: 1000 });
});
