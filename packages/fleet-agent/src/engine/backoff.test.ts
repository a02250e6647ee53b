import { expect, it } from "vitest";
import { reconnectWait } from "./backoff.ts";

it("waits 0.5 to 30 s, longer the more often it failed, and never all at once", () => {
  expect([reconnectWait(0, 0), reconnectWait(0, 1)]).toEqual([500, 1000]);
  expect([reconnectWait(3, 0), reconnectWait(3, 0.5), reconnectWait(3, 1)]).toEqual([
    500, 4250, 8000,
  ]);
  for (const failures of [6, 20, 1_000_000]) expect(reconnectWait(failures, 1)).toBe(30_000);
  const waits = new Set(Array.from({ length: 200 }, () => reconnectWait(10)));
  expect(waits.size).toBeGreaterThan(100);
});
