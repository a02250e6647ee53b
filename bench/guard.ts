// What got worse since the last release: the guard of the benchmark.
import {
  advantage,
  figureOf,
  isFailure,
  type Results,
  type Spread,
  type SystemResult,
} from "./results.ts";
import { correctnessPhases, costRows, latencyRows, type Row, speedRows } from "./rows.ts";

/** One figure of one system beside the same of a build of ours. */
export interface Comparison {
  readonly system: string;
  readonly build: string;
  readonly label: string;
  readonly verdict: "worse" | "unsure" | "better" | "same";
  /** How much better this one is, see `advantage`; `undefined` for what is counted. */
  readonly ratio?: Spread | undefined;
  readonly digits: number;
  readonly now: Spread | undefined;
  readonly before: Spread | undefined;
}

/** A median that is this much off is more than the noise that rounds which agree can have. */
const TOLERANCE = 0.05;
/** A median that is this much off is told of, even if the rounds don't agree. */
const LARGE = 0.15;
/** Rounds that have to agree: by chance three do for one figure in four, five for one in sixteen. */
export const FEWEST_ROUNDS = 5;

/** Compares ours with each build of ours that had its turns in the same run, figure by figure. */
export function compareBuilds(results: Results, phases: readonly string[]): Comparison[] {
  return results.systems
    .filter((system) => system.build !== undefined)
    .flatMap((before) => {
      const now = results.systems.find((one) => one.reference && one.group === before.group);
      return now === undefined ? [] : compare(now, before, phases);
    });
}

function compare(now: SystemResult, before: SystemResult, phases: readonly string[]): Comparison[] {
  const names = { system: now.name, build: before.build ?? before.name };
  const rows = [...speedRows(phases), ...latencyRows(phases), ...costRows(phases)];
  const figures = rows.flatMap((row): Comparison[] => {
    const values = {
      now: figureOf(now, row.phase, row.figure),
      before: figureOf(before, row.phase, row.figure),
    };
    const ratio = advantage(now, before, row.phase, row.figure, row.better);
    const { label, digits } = row;
    if (ratio !== undefined) {
      const verdict = verdictOf(ratio, roundsOf(now, before, row));
      return [{ ...names, label, digits, verdict, ratio, ...values }];
    }
    // It had a figure and has none any more: the phase fails now.
    if (values.now !== undefined || values.before === undefined) return [];
    return [{ ...names, label, digits, verdict: "worse", ...values }];
  });
  const whole = correctnessPhases(phases);
  const counts = phases.map((phase) => {
    const label = `${phase}, ${whole.includes(phase) ? "not whole" : "errors"}`;
    return counted(names, label, lost(now, phase), lost(before, phase));
  });
  return [...figures, ...counts, counted(names, "failed turns", failures(now), failures(before))];
}

function verdictOf(ratio: Spread, rounds: number): Comparison["verdict"] {
  const agree = rounds >= FEWEST_ROUNDS;
  if (ratio.median < 1 - TOLERANCE) {
    if (agree && ratio.max < 1) return "worse";
    return ratio.median < 1 - LARGE ? "unsure" : "same";
  }
  return agree && ratio.median > 1 / (1 - TOLERANCE) && ratio.min > 1 ? "better" : "same";
}

/** Rounds in which both have the figure. */
function roundsOf(now: SystemResult, before: SystemResult, { phase, figure }: Row): number {
  const has = (system: SystemResult, round: number): boolean => {
    const turn = system.turns[round];
    return turn !== undefined && !isFailure(turn) && turn[phase]?.figures[figure] !== undefined;
  };
  return now.turns.filter((_turn, round) => has(now, round) && has(before, round)).length;
}

/** What is counted needs no rounds to agree: one that is lost is one too many. */
function counted(
  names: Pick<Comparison, "system" | "build">,
  label: string,
  now: number,
  before: number,
): Comparison {
  const verdict = now > before ? "worse" : now < before ? "better" : "same";
  const same = (value: number): Spread => ({ median: value, min: value, max: value });
  return { ...names, label, digits: 0, verdict, now: same(now), before: same(before) };
}

/** What did not come through whole, and errors, over all rounds. */
function lost(system: SystemResult, phase: string): number {
  return system.turns.reduce((sum, turn) => {
    const figures = isFailure(turn) ? undefined : turn[phase]?.figures;
    if (figures === undefined) return sum;
    return sum + (figures.of ?? 0) - (figures.good ?? 0) + (figures.errors ?? 0);
  }, 0);
}

function failures(system: SystemResult): number {
  return system.turns.filter(isFailure).length;
}

/** Whether something is worse for sure. */
export function hasWorse(comparisons: readonly Comparison[]): boolean {
  return comparisons.some(({ verdict }) => verdict === "worse");
}

const HEADINGS = [
  ["worse", "Worse"],
  ["unsure", "Perhaps worse: the rounds don't agree"],
  ["better", "Better"],
] as const;

/** The comparisons as text, the worst first; what is the same is only counted. */
export function guardText(comparisons: readonly Comparison[]): string {
  const builds = new Set(comparisons.map(({ build }) => build));
  return [...builds].map((build) => buildText(build, comparisons)).join("\n");
}

function buildText(build: string, all: readonly Comparison[]): string {
  const own = all.filter((one) => one.build === build);
  const lines = [`Beside ${build}, in the same run:`, ""];
  for (const [verdict, heading] of HEADINGS) {
    const found = own
      .filter((one) => one.verdict === verdict)
      .toSorted((a, b) => (a.ratio?.median ?? 0) - (b.ratio?.median ?? 0));
    if (found.length === 0) continue;
    lines.push(`${heading}:`, ...found.map(lineOf), "");
  }
  const same = own.filter(({ verdict }) => verdict === "same").length;
  lines.push(hasWorse(own) ? `The same: ${same} figures.` : `Nothing is worse. The same: ${same}.`);
  return `${lines.join("\n")}\n`;
}

function lineOf({ system, label, ratio, now, before, digits }: Comparison): string {
  const value = (spread: Spread | undefined): string => spread?.median.toFixed(digits) ?? "none";
  const two = (number: number): string => number.toFixed(2);
  const times =
    ratio === undefined ? "" : `, ×${two(ratio.median)} (${two(ratio.min)}–${two(ratio.max)})`;
  return `  ${system}: ${label} ${value(now)}, was ${value(before)}${times}`;
}
