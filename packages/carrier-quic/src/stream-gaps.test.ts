import { expect, test } from "vitest";
import { StreamGaps } from "./stream-gaps.ts";

test("has each id of a gap once, in whatever order", () => {
  const gaps = new StreamGaps();
  expect(gaps.add(0, 400_000)).toBe(true);
  for (const id of [399_996, 0, 8, 4, 200_000]) {
    expect(gaps.take(id)).toBe(true);
    expect(gaps.take(id)).toBe(false);
  }
  expect(gaps.take(400_000)).toBe(false);
  expect(gaps.take(12)).toBe(true);
});

test("has no gap where none is", () => {
  const gaps = new StreamGaps();
  expect(gaps.add(4, 4)).toBe(true);
  expect(gaps.take(4)).toBe(false);
});

test("bounds how many there are, not how long", () => {
  const gaps = new StreamGaps();
  for (let gap = 0; gap < 1024; gap++) expect(gaps.add(gap * 8, gap * 8 + 4)).toBe(true);
  expect(gaps.add(10_000, 10_004)).toBe(false);
  expect(gaps.take(0)).toBe(true);
  expect(gaps.add(10_000, 10_004)).toBe(true);
});
