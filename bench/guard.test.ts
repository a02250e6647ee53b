import { expect, it } from "vitest";
import { type Comparison, compareBuilds, guardText, hasWorse } from "./guard.ts";
import type { Failure, Results, SystemResult } from "./results.ts";
import type { Turn } from "./run-system.ts";

const PHASES = ["up1", "rr1", "burst500", "integrity"];

/** What a turn has measured; figures that a test is not about stay what they are. */
interface Measured {
  readonly up1?: number | undefined;
  readonly rr1?: number | undefined;
  readonly burst500?: number | undefined;
  readonly whole?: number | undefined;
  readonly errors?: number | undefined;
}

function turn({ up1 = 1000, rr1 = 5000, burst500 = 100, whole = 16, errors = 0 }: Measured): Turn {
  return {
    up1: { figures: { megabytesPerSecond: up1, errors: 0 } },
    rr1: { figures: { perSecond: rr1, errors } },
    burst500: { figures: { ms: burst500, errors: 0 } },
    integrity: { figures: { good: whole, of: 16 } },
  };
}

function system(name: string, turns: readonly (Turn | Failure)[], build?: string): SystemResult {
  const reference = build === undefined;
  return { name, group: "two hops", reference, build, version: "Node", turns };
}

/** Five rounds of ours (`now`) and of the build before, in turn; what is missing is as ever. */
function compared(
  now: readonly (Measured | Failure)[],
  before: readonly (Measured | Failure)[] = [],
  rounds = 5,
): Comparison[] {
  const turns = (all: readonly (Measured | Failure)[]) =>
    Array.from({ length: rounds }, (_, round) => {
      const one = all[round] ?? {};
      return "failure" in one ? one : turn(one);
    });
  const results: Results = {
    date: "2026-01-01",
    machine: {},
    rounds,
    durationSeconds: 1,
    systems: [system("ours", turns(now)), system("last", turns(before), "last")],
    missing: [],
  };
  return compareBuilds(results, PHASES);
}

function labels(comparisons: readonly Comparison[], verdict: Comparison["verdict"]): string[] {
  return comparisons.filter((one) => one.verdict === verdict).map(({ label }) => label);
}

it("finds nothing where nothing differs, and says how much was compared", () => {
  const comparisons = compared([]);
  expect(hasWorse(comparisons)).toBe(false);
  expect(labels(comparisons, "same")).toHaveLength(comparisons.length);
  expect(guardText(comparisons)).toContain("Nothing is worse. The same: 8.");
});

it("names a figure that is worse in every round, with both values and by how much", () => {
  const comparisons = compared([900, 880, 910, 890, 905].map((up1) => ({ up1 })));
  expect(labels(comparisons, "worse")).toEqual(["up1 MB/s"]);
  expect(hasWorse(comparisons)).toBe(true);
  const text = guardText(comparisons);
  expect(text).toContain("Worse:\n  ours: up1 MB/s 900, was 1000, ×0.90 (0.88–0.91)");
  expect(text).not.toContain("Nothing is worse");
});

it("knows that a time is better when it is less", () => {
  const slower = [120, 130, 125, 121, 122].map((burst500) => ({ burst500 }));
  expect(labels(compared(slower), "worse")).toEqual(["burst500 ms"]);
  const faster = [80, 70, 75, 79, 78].map((burst500) => ({ burst500 }));
  expect(labels(compared(faster), "better")).toEqual(["burst500 ms"]);
});

it("takes what is within the noise, or what the rounds don't agree on, for no loss", () => {
  expect(
    labels(compared([4800, 4810, 4790, 4805, 4795].map((rr1) => ({ rr1 }))), "same"),
  ).toContain("rr1 per s");
  const mixed = compared([4000, 5600, 4100, 4050, 5700].map((rr1) => ({ rr1 })));
  expect(labels(mixed, "unsure")).toEqual(["rr1 per s"]);
  expect(hasWorse(mixed)).toBe(false);
  expect(guardText(mixed)).toContain("Perhaps worse: the rounds don't agree:\n  ours: rr1 per s");
});

it("is sure of nothing that had too few rounds", () => {
  const two = compared([{ up1: 500 }, { up1: 500 }, { up1: 500 }], [], 3);
  expect(hasWorse(two)).toBe(false);
  expect(labels(two, "unsure")).toEqual(["up1 MB/s"]);
});

it("takes one transfer that is not whole, one error and one failed turn for worse", () => {
  expect(labels(compared([{}, { whole: 15 }, {}]), "worse")).toEqual(["integrity, not whole"]);
  expect(labels(compared([{}, { errors: 1 }, {}]), "worse")).toEqual(["rr1, errors"]);
  expect(labels(compared([{}, { failure: "it ended" }, {}]), "worse")).toEqual(["failed turns"]);
  // What the build before did wrong and this one does not is no loss.
  expect(hasWorse(compared([], [{}, { whole: 3 }, { errors: 9 }]))).toBe(false);
});

it("takes a figure that is there no more for worse", () => {
  const gone: Failure = { failure: "it never carried a byte" };
  const comparisons = compared([gone, gone, gone, gone, gone]);
  expect(labels(comparisons, "worse")).toEqual([
    "up1 MB/s",
    "rr1 per s",
    "burst500 ms",
    "failed turns",
  ]);
  expect(guardText(comparisons)).toContain("up1 MB/s none, was 1000");
});

it("compares only with builds of ours that do the same work", () => {
  const results: Results = {
    date: "2026-01-01",
    machine: {},
    rounds: 1,
    durationSeconds: 1,
    systems: [
      system("ours", [turn({ up1: 1 })]),
      { ...system("rathole", [turn({})]), reference: false },
      { ...system("last-single", [turn({})], "last"), group: "one hop" as const },
    ],
    missing: [],
  };
  expect(compareBuilds(results, PHASES)).toEqual([]);
});
