import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LogFields } from "../tunnel-reports.ts";
import { LogLimiter } from "./log-limiter.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function recorder(): { limiter: LogLimiter; records: [string, LogFields | undefined][] } {
  const records: [string, LogFields | undefined][] = [];
  const limiter = new LogLimiter((_level, message, fields) => records.push([message, fields]));
  return { limiter, records };
}

test("lets three of a text through in ten seconds, then tells how many it held back", () => {
  const { limiter, records } = recorder();
  for (let count = 0; count < 100; count++) limiter.log("warn", "again", { count });
  expect(records.map(([, fields]) => fields)).toEqual([{ count: 0 }, { count: 1 }, { count: 2 }]);
  vi.advanceTimersByTime(10_000);
  limiter.log("warn", "again", { count: 100 });
  expect(records.at(-1)).toEqual(["again", { count: 100, suppressed: 97 }]);
});

test("what goes on for hours is told once a minute, with how often it was", () => {
  const { limiter, records } = recorder();
  // Somebody every five seconds, for five minutes.
  for (let at = 0; at < 300; at += 5) {
    limiter.logRarely("error", "down", { at });
    vi.advanceTimersByTime(5000);
  }
  expect(records.map(([, fields]) => fields)).toEqual([
    { at: 0 },
    ...[60, 120, 180, 240].map((at) => ({ at, suppressed: 11 })),
  ]);
});

test("texts don't hold each other back", () => {
  const { limiter, records } = recorder();
  for (let count = 0; count < 10; count++) limiter.log("warn", "one");
  limiter.log("warn", "two");
  expect(records.map(([message]) => message)).toEqual(["one", "one", "one", "two"]);
});

test("remembers a bounded number of texts", () => {
  const { limiter, records } = recorder();
  for (let count = 0; count < 1000; count++) limiter.log("warn", `text ${count}`);
  expect(records.length).toBe(1000);
});
