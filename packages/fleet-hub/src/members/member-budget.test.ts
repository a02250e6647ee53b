import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { createMemberBudget, type Said } from "./member-budget.ts";

const MIB = 1024 * 1024;

function open() {
  const time = new SimulatedTime();
  const clock = new SimulatedClock(time);
  const floods: string[] = [];
  const budget = createMemberBudget(clock, (mid) => floods.push(mid));
  const take = (times: number, bytes: number, mid = "a", what?: Said) => {
    let heard = 0;
    for (let n = 0; n < times; n += 1) if (budget.take(mid, bytes, what)) heard += 1;
    return heard;
  };
  return { time, floods, take };
}

test("a member is heard as much as an honest one says, and then a little each second", () => {
  const { time, floods, take } = open();
  expect(take(5000, 200)).toBe(2000);
  time.now += 2000;
  expect(take(5000, 200)).toBe(1000);
  expect(take(3, MIB, "b")).toBe(3);
  expect(floods).toEqual([]);
});

test("what it tells of its instances as fast as it can is heard, and takes nothing from the rest", () => {
  const { time, floods, take } = open();
  for (let at = 0; at < 100; at += 1) {
    expect(take(250, 2500, "a", "events")).toBe(250);
    time.now += 200;
  }
  expect(take(5000, 200, "a", "events")).toBeLessThan(5000);
  expect(take(2000, 200)).toBe(2000);
  expect(floods).toEqual([]);
});

test("one that goes on and on is told of, by number and by bytes, and no other", () => {
  const { time, floods, take } = open();
  expect(take(16, MIB, "big")).toBe(8);
  expect(floods).toEqual([]);
  // What is said in another second is counted anew.
  time.now += 1001;
  take(10, MIB, "big");
  expect(floods).toEqual([]);
  take(1, MIB, "big");
  expect(floods).toEqual(["big"]);
  take(32_001, 1, "many");
  expect(floods).toEqual(["big", "many"]);
  expect(take(1, 1, "honest")).toBe(1);
});
