import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DeadlineQueue } from "./deadline-queue.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("DeadlineQueue", () => {
  test("expires each item after its time, with one timer", () => {
    const expired: string[] = [];
    const queue = new DeadlineQueue<string>(100, (item) => expired.push(item));
    queue.add("a");
    vi.advanceTimersByTime(60);
    queue.add("b");
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(40);
    expect(expired).toEqual(["a"]);
    vi.advanceTimersByTime(60);
    expect(expired).toEqual(["a", "b"]);
    expect(queue.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("never expires what was deleted or cleared", () => {
    const expired: string[] = [];
    const queue = new DeadlineQueue<string>(100, (item) => expired.push(item));
    for (const item of ["a", "b", "c"]) queue.add(item);
    expect(queue.delete("b")).toBe(true);
    expect(queue.delete("b")).toBe(false);
    expect(queue.has("b")).toBe(false);
    expect(queue.first).toBe("a");
    expect(queue.delete("a")).toBe(true);
    const cleared: string[] = [];
    queue.clear((item) => cleared.push(item));
    expect(cleared).toEqual(["c"]);
    expect(queue.first).toBeUndefined();
    vi.advanceTimersByTime(1000);
    expect(expired).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("0 keeps items for ever, without a timer", () => {
    const expired: string[] = [];
    const queue = new DeadlineQueue<string>(0, (item) => expired.push(item));
    queue.add("a");
    vi.advanceTimersByTime(1_000_000);
    expect([expired, queue.size, vi.getTimerCount()]).toEqual([[], 1, 0]);
  });

  test("keeps one timer when items are added while others expire", () => {
    let round = 0;
    const queue = new DeadlineQueue<string>(100, () => {
      if (++round < 5) queue.add(`round ${round}`);
    });
    queue.add("first");
    for (let count = 0; count < 4; count++) {
      vi.advanceTimersByTime(100);
      expect(vi.getTimerCount()).toBe(1);
    }
    // Nothing of it is left when the queue is cleared.
    queue.clear();
    expect(vi.getTimerCount()).toBe(0);
  });
});
