import type { Turn } from "./run-system.ts";
import type { Group, Missing } from "./system.ts";

/** Everything that a run has measured: what `--json` writes. */
export interface Results {
  readonly date: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly durationSeconds: number;
  readonly systems: readonly SystemResult[];
  readonly missing: readonly Missing[];
}

export interface SystemResult {
  readonly name: string;
  readonly group: Group;
  readonly reference: boolean;
  /** The name of another build of ours that this is; absent for all else. */
  readonly build?: string | undefined;
  readonly version: string;
  /** In the order of the rounds; a failed turn has only `failure`. */
  readonly turns: readonly (Turn | Failure)[];
}

export interface Failure {
  readonly failure: string;
}

export function isFailure(turn: Turn | Failure): turn is Failure {
  return "failure" in turn && typeof turn.failure === "string";
}

/** Middle value and extremes. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @returns `undefined` without values */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const min = sorted[0];
  const max = sorted.at(-1);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (min === undefined || max === undefined || upper === undefined || lower === undefined) {
    return undefined;
  }
  return { median: (lower + upper) / 2, min, max };
}

/** The values of one figure in all rounds; `undefined` where a round has none. */
export function valuesOf(
  system: SystemResult,
  phase: string,
  figure: string,
): readonly (number | undefined)[] {
  return system.turns.map((turn) => (isFailure(turn) ? undefined : turn[phase]?.figures[figure]));
}

/** Median and extremes of one figure over the rounds. */
export function figureOf(system: SystemResult, phase: string, figure: string): Spread | undefined {
  return spreadOf(valuesOf(system, phase, figure).filter((value) => value !== undefined));
}

/**
 * How much better `ours` is than `theirs`, round by round: 2 is twice the rate, or half the time.
 */
export function advantage(
  ours: SystemResult,
  theirs: SystemResult,
  phase: string,
  figure: string,
  better: "higher" | "lower",
): Spread | undefined {
  const a = valuesOf(ours, phase, figure);
  const b = valuesOf(theirs, phase, figure);
  const ratios: number[] = [];
  for (const [round, mine] of a.entries()) {
    const other = b[round];
    if (mine === undefined || other === undefined || !(mine > 0) || !(other > 0)) continue;
    ratios.push(better === "higher" ? mine / other : other / mine);
  }
  const spread = spreadOf(ratios);
  const mine = figureOf(ours, phase, figure)?.median;
  const other = figureOf(theirs, phase, figure)?.median;
  if (spread === undefined || mine === undefined || other === undefined) return undefined;
  // The promise is about medians; the rounds' own ratios tell how far to trust it.
  return { ...spread, median: better === "higher" ? mine / other : other / mine };
}
