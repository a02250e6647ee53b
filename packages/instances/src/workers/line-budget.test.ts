import { expect, it } from "vitest";
import { LineBudget } from "./line-budget.ts";

it("lets a burst through, then a bounded rate, and counts the rest", () => {
  const budget = new LineBudget(0);
  const pass = (now: number, lines: number): number =>
    Array.from({ length: lines }, () => budget.take(now)).filter(Boolean).length;
  expect(pass(0, 1000)).toBe(100);
  expect(budget.takeSuppressed()).toBe(900);
  expect(pass(1000, 1000)).toBe(20);
  expect(pass(1_000_000, 1000)).toBe(100);
  expect(budget.takeSuppressed()).toBe(1880);
  expect(budget.takeSuppressed()).toBe(0);
});
