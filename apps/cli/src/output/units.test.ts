import { expect, it } from "vitest";
import { formatBytes, formatRate, formatSeconds } from "./units.ts";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.00 kB"],
  [1234, "1.23 kB"],
  [9_994, "9.99 kB"],
  [9_996, "10.0 kB"],
  [99_960, "100 kB"],
  [999_499, "999 kB"],
  [999_500, "1.00 MB"],
  [45_600_000, "45.6 MB"],
  [3_000_000_000_000_000_000, "3000 PB"],
])("writes %d bytes as %s", (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});

it("writes a rate, and a dash for none", () => {
  expect(formatRate(1234.4)).toBe("1.23 kB/s");
  expect(formatRate(undefined)).toBe("-");
});

it.each([
  [0, "0s"],
  [59.9, "59s"],
  [185, "3m 5s"],
  [7_200, "2h 0m"],
  [1_051_200, "12d 4h"],
])("writes %d seconds as %s", (seconds, expected) => {
  expect(formatSeconds(seconds)).toBe(expected);
});
