import { expect, it } from "vitest";
import { createRateMeter } from "./rate-meter.ts";

it("knows no rate from one look, and the mean from two", () => {
  const meter = createRateMeter();
  meter.record("a", 1000, 0, 0);
  expect(meter.rates("a", 0)).toEqual({ received: undefined, sent: undefined });
  meter.record("a", 6000, 500, 5000);
  expect(meter.rates("a", 5000)).toEqual({ received: 1000, sent: 100 });
  expect(meter.rates("b", 5000).received).toBeUndefined();
});

it("takes the mean over the window, not over all time", () => {
  const meter = createRateMeter({ windowMs: 6000 });
  for (let at = 0; at <= 60_000; at += 5000) meter.record("a", 0, 0, at);
  meter.record("a", 10_000, 0, 65_000);
  // The samples of 55, 60 and 65 seconds.
  expect(meter.rates("a", 65_000).received).toBe(1000);
});

it("starts again when counters were reset, and forgets what is old", () => {
  const meter = createRateMeter({ staleMs: 20_000 });
  meter.record("a", 9000, 0, 0);
  meter.record("a", 0, 0, 1000);
  expect(meter.rates("a", 1000).received).toBeUndefined();
  meter.record("a", 500, 0, 2000);
  expect(meter.rates("a", 22_000).received).toBe(500);
  expect(meter.rates("a", 22_001).received).toBeUndefined();
  meter.forget("a");
  expect(meter.rates("a", 2000).received).toBeUndefined();
});
