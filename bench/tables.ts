import {
  advantage,
  figureOf,
  isFailure,
  type Results,
  type Spread,
  type SystemResult,
} from "./results.ts";
import { correctnessPhases, costRows, latencyRows, type Row, speedRows } from "./rows.ts";
import { GROUPS } from "./system.ts";

/** The results as Markdown. */
export function tablesOf(results: Results, phases: readonly string[]): string {
  const lines = [
    `Measured ${results.date}: ${results.rounds} rounds, ${results.durationSeconds} s a timed phase, the systems in turn.`,
    "",
    ...Object.entries(results.machine).map(([name, value]) => `- ${name}: ${value}`),
    "",
    "Each cell is the median of the rounds, with the smallest and largest. A column headed ÷ tells how",
    "much better ours is than that peer in the same run: 2.00 is twice the rate, half the time or half",
    "the cost; in brackets the smallest and largest of the rounds.",
    "",
  ];
  for (const group of GROUPS) {
    const systems = results.systems.filter((system) => system.group === group);
    if (systems.length > 0) lines.push(`### ${headed(group)}`, "", ...groupTables(systems, phases));
  }
  if (results.missing.length > 0) {
    lines.push("### Not measured", "");
    for (const { name, why } of results.missing) lines.push(`- ${name}: ${why}`);
    lines.push("");
  }
  return lines.join("\n");
}

function headed(group: string): string {
  return group.charAt(0).toUpperCase() + group.slice(1);
}

function groupTables(systems: readonly SystemResult[], phases: readonly string[]): string[] {
  const ours = systems.find((system) => system.reference);
  const order = systems.toSorted((a, b) => Number(b.reference) - Number(a.reference));
  const lines = order.map((system) => `- ${system.name}: ${system.version}`);
  lines.push("");
  for (const rows of [speedRows(phases), latencyRows(phases), costRows(phases)]) {
    const measured = rows.filter((row) =>
      order.some((system) => figureOf(system, row.phase, row.figure) !== undefined),
    );
    if (measured.length > 0) lines.push(...figureTable(measured, order, ours), "");
  }
  const checks = correctnessPhases(phases);
  if (checks.length > 0) lines.push(...correctnessTable(checks, order), "");
  const problems = order.flatMap((system) => problemsOf(system));
  if (problems.length > 0) lines.push("Errors:", "", ...problems, "");
  return lines;
}

function figureTable(
  rows: readonly Row[],
  systems: readonly SystemResult[],
  ours: SystemResult | undefined,
): string[] {
  const peers = ours === undefined ? [] : systems.filter((system) => system !== ours);
  const head = ["", ...systems.map((s) => s.name), ...peers.map((s) => `÷ ${s.name}`)];
  const body = rows.map((row) => [
    row.label,
    ...systems.map((s) => cell(figureOf(s, row.phase, row.figure), row.digits)),
    ...peers.map((s) =>
      ours === undefined ? "" : cell(advantage(ours, s, row.phase, row.figure, row.better), 2),
    ),
  ]);
  return table(head, body);
}

function correctnessTable(phases: readonly string[], systems: readonly SystemResult[]): string[] {
  const count = (system: SystemResult, phase: string): string => {
    let good = 0;
    let of = 0;
    for (const turn of system.turns) {
      if (isFailure(turn)) continue;
      good += turn[phase]?.figures.good ?? 0;
      of += turn[phase]?.figures.of ?? 0;
    }
    return of === 0 ? "–" : `${good} of ${of}`;
  };
  return table(
    ["whole, all rounds", ...systems.map((s) => s.name)],
    phases.map((phase) => [phase, ...systems.map((s) => count(s, phase))]),
  );
}

/** What went wrong, a line for each phase of a system. */
function problemsOf(system: SystemResult): string[] {
  const counts = new Map<string, { errors: number; problem: string | undefined }>();
  for (const turn of system.turns) {
    if (isFailure(turn)) {
      const before = counts.get("turn")?.errors ?? 0;
      counts.set("turn", { errors: before + 1, problem: turn.failure.split("\n")[0] });
      continue;
    }
    for (const [phase, { figures, problem }] of Object.entries(turn)) {
      const errors = figures.errors ?? 0;
      if (errors === 0) continue;
      const before = counts.get(phase);
      counts.set(phase, {
        errors: errors + (before?.errors ?? 0),
        problem: problem ?? before?.problem,
      });
    }
  }
  return [...counts].map(([phase, { errors, problem }]) => {
    // Ports differ from round to round and say nothing.
    const text = (problem ?? "").replace(/127\.0\.0\.1:\d+/g, "…");
    return `- ${system.name}, ${phase}: ${errors}${text === "" ? "" : `, the last: ${text}`}`;
  });
}

function cell(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return "–";
  const [median, min, max] = [spread.median, spread.min, spread.max].map((v) => v.toFixed(digits));
  return min === max ? `${median}` : `${median} (${min}–${max})`;
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...body.map(line)];
}
