import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OwedWork } from "./owed-work.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("what is owed is tried later and later, until it is done; of one key the last", async () => {
  const owed = new OwedWork();
  const began = Date.now();
  const at: number[] = [];
  let isFull = true;
  const task = async () => {
    at.push((Date.now() - began) / 1000);
    if (isFull) owed.owe("a", task);
  };
  owed.owe("a", () => Promise.reject(new Error("another came after it")));
  owed.owe("a", task);
  await vi.advanceTimersByTimeAsync(130_000);
  expect(at).toEqual([1, 3, 7, 15, 31, 61, 91, 121]);
  isFull = false;
  await vi.advanceTimersByTimeAsync(130_000);
  expect(at.slice(8)).toEqual([151]);
  // The next one does not wait for long again.
  owed.owe("a", task);
  await vi.advanceTimersByTimeAsync(1000);
  expect(at).toHaveLength(10);
});

test("what is not wanted any more is not done, and nothing after the end", async () => {
  const owed = new OwedWork();
  const done: string[] = [];
  owed.owe("a", async () => done.push("a"));
  owed.owe("b", async () => done.push("b"));
  owed.settle("a");
  await vi.advanceTimersByTimeAsync(1000);
  expect(done).toEqual(["b"]);
  owed.owe("c", async () => done.push("c"));
  owed.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(done).toEqual(["b"]);
});
