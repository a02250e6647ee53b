import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";
import { UrlConfigError } from "./url-problem.ts";

describe("parseDuration", () => {
  test.each([
    ["0", 0],
    ["+0", 0],
    ["0s", 0],
    ["-0h", 0],
    ["15s", 15_000],
    ["100ms", 100],
    ["10m", 600_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["5.s", 5_000],
    ["1m0.25s", 60_250],
    ["1h1h", 7_200_000],
    ["-3s", -3_000],
    ["+3s", 3_000],
    ["250us", 0.25],
    ["250µs", 0.25],
    ["250μs", 0.25],
    ["1ns", 0.000001],
    ["0.9ns", 0],
    ["2562047h47m16.854775807s", 9_223_372_036_854.775],
  ])("reads %s", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each([
    "",
    "5",
    "s",
    ".s",
    "1d",
    "1h 30m",
    " 1s",
    "1s ",
    "1,5s",
    "1e3s",
    "--1s",
    "1h-3m",
    "0x1s",
    "١s",
    "2562048h",
    "9223372036854775808ns",
    `${"9".repeat(200)}s`,
  ])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({ name: "UrlConfigError", code: "INVALID_DURATION" }),
    );
  });

  test("accepts the smallest of Go's durations, whose positive counterpart does not exist", () => {
    expect(parseDuration("-9223372036854775808ns")).toBeLessThan(-9e12);
  });

  test("throws nothing but its own error, for any text", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.stringMatching(/^[-+]?([0-9]{0,22}\.?[0-9]{0,3}(ns|us|µs|ms|s|m|h|d)?){0,3}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(Number.isFinite(parseDuration(text))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UrlConfigError);
        }
      }),
    );
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0s"],
    [-0, "0s"],
    [1, "1ms"],
    [100, "100ms"],
    [999, "999ms"],
    [1_000, "1s"],
    [1_500, "1.5s"],
    [60_000, "1m0s"],
    [300_000, "5m0s"],
    [600_000, "10m0s"],
    [3_600_000, "1h0m0s"],
    [5_400_250, "1h30m0.25s"],
    [0.25, "250µs"],
    [0.000001, "1ns"],
    [1.5, "1.5ms"],
    [-90_000, "-1m30s"],
    [2_145_600_000, "596h0m0s"],
  ])("writes %d ms as Go does", (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  test("refuses what is no number", () => {
    expect(() => formatDuration(Number.NaN)).toThrow(RangeError);
    expect(() => formatDuration(Number.POSITIVE_INFINITY)).toThrow(RangeError);
  });

  test("is undone by parseDuration, for whole milliseconds", () => {
    fc.assert(
      fc.property(fc.integer(), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });

  test("undoes parseDuration, for whole nanoseconds up to the longest setting", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_145_600_000_000_000 }), (nanoseconds) => {
        const text = formatDuration(parseDuration(`${nanoseconds}ns`));
        expect(formatDuration(parseDuration(text))).toBe(text);
        expect(parseDuration(text)).toBe(parseDuration(`${nanoseconds}ns`));
      }),
    );
  });
});
