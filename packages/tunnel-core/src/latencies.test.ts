import { expect, test } from "vitest";
import { LATENCY_BOUNDS_MS, Latency } from "./latencies.ts";

test("a time is in the first bucket whose bound it does not exceed, or in the last", () => {
  const latency = new Latency();
  for (const ms of [0, 0.5, 0.500001, 5, 5000, 5000.1, 1e9]) latency.observe(ms);
  const { boundsMs, counts, sumMs } = latency.snapshot();
  const filled = [...boundsMs, Number.POSITIVE_INFINITY].flatMap((bound, at) =>
    counts[at] === 0 ? [] : [[bound, counts[at]]],
  );
  expect(filled).toEqual([
    [0.5, 2],
    [1, 1],
    [5, 1],
    [5000, 1],
    [Number.POSITIVE_INFINITY, 2],
  ]);
  expect(sumMs).toBeCloseTo(0.5 + 0.500001 + 5 + 5000 + 5000.1 + 1e9, 5);
});

test("the bounds rise, and what has measured nothing has as many zeros", () => {
  expect([...LATENCY_BOUNDS_MS].sort((a, b) => a - b)).toEqual(LATENCY_BOUNDS_MS);
  const none = new Latency().snapshot();
  expect(none).toEqual({ boundsMs: LATENCY_BOUNDS_MS, counts: none.counts, sumMs: 0 });
  expect(none.counts).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
  expect(none.counts.every((count) => count === 0)).toBe(true);
});

test("a snapshot stays as it was", () => {
  const latency = new Latency();
  latency.observe(3);
  const before = latency.snapshot();
  latency.observe(3);
  expect(before.counts.reduce((sum, count) => sum + count)).toBe(1);
});
