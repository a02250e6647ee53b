import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ReportWheel } from "./report-wheel.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("visits every member once in an interval, spread over it", () => {
  const visits = new Map<number, number>();
  let most = 0;
  const wheel = new ReportWheel<number>(5000, (member) => {
    visits.set(member, (visits.get(member) ?? 0) + 1);
  });
  for (let member = 0; member < 200; member++) wheel.add(member);
  wheel.start();
  for (let turn = 0; turn < 10; turn++) {
    const before = [...visits.values()].reduce((sum, count) => sum + count, 0);
    vi.advanceTimersByTime(500);
    const after = [...visits.values()].reduce((sum, count) => sum + count, 0);
    most = Math.max(most, after - before);
  }
  expect([...visits.values()]).toEqual(Array.from({ length: 200 }, () => 1));
  expect(most).toBe(20);
});

it("has no timer while it is stopped or empty", () => {
  const wheel = new ReportWheel<string>(5000, () => undefined);
  wheel.start();
  expect(vi.getTimerCount()).toBe(0);
  wheel.add("a");
  wheel.add("a");
  expect(vi.getTimerCount()).toBe(1);
  wheel.delete("a");
  expect(vi.getTimerCount()).toBe(0);
  wheel.add("a");
  wheel.stop();
  expect(vi.getTimerCount()).toBe(0);
});
