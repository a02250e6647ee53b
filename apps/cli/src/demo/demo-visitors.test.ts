import { expect, it } from "vitest";
import { MOST_SAMPLE_BYTES, sampleBytes } from "./demo-visitors.ts";

it("lets traffic come and go within its bounds", () => {
  const all = Array.from({ length: 200 }, (_each, second) => sampleBytes(second * 1000));
  expect(Math.min(...all)).toBeGreaterThanOrEqual(20_000);
  expect(Math.max(...all)).toBeLessThanOrEqual(MOST_SAMPLE_BYTES);
  expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(200_000);
});
