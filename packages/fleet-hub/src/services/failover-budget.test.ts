import { describe, expect, it } from "vitest";
import { createFailoverBudget } from "./failover-budget.ts";

describe("failover budget", () => {
  it("lets 5 % of all members go within a minute, and 3 at least", () => {
    for (const [members, most] of [
      [10, 3],
      [60, 3],
      [100, 5],
      [2000, 100],
    ] as const) {
      const budget = createFailoverBudget();
      const taken = Array.from({ length: 200 }, (_, at) => budget.take(`m${at}`, 0, members));
      expect(taken.filter(Boolean)).toHaveLength(most);
    }
  });

  it("counts a member once, and no longer than a minute", () => {
    const budget = createFailoverBudget();
    for (const mid of ["a", "b", "c", "a", "b"]) expect(budget.take(mid, 0, 1)).toBe(true);
    expect(budget.take("d", 60_000, 1)).toBe(false);
    expect(budget.take("d", 60_001, 1)).toBe(true);
  });

  it("lets those go that were lost when a person resumed it, and counts anew", () => {
    const budget = createFailoverBudget();
    for (const mid of ["a", "b", "c"]) budget.take(mid, 0, 1);
    budget.resume(["d", "e", "f", "g"]);
    for (const mid of ["d", "e", "f", "g", "h", "i", "j"]) {
      expect(budget.take(mid, 1, 1)).toBe(true);
    }
    expect(budget.take("k", 2, 1)).toBe(false);
  });
});
