// Runs the micro benchmarks (*.bench.ts) and records them, with the machine, in bench/micro.md and
// bench/micro.json, so that the next person sees a step back.
//
//   node bench/micro.ts [FILTER...]    with a filter: prints only, records nothing
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describeMachine } from "./machine.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What we read of vitest's JSON report. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly benchmarks?: readonly {
        readonly tasks: readonly {
          readonly name: string;
          readonly latency: Readonly<Record<"p50" | "mean" | "p99" | "rme", number>>;
        }[];
      }[];
    }[];
  }[];
}

interface Line {
  readonly file: string;
  readonly name: string;
  /** Microseconds. */
  readonly median: number;
  readonly mean: number;
  readonly p99: number;
  /** Half of the 95 % interval of the mean, in percent. */
  readonly error: number;
}

function measure(filters: readonly string[]): Report {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-micro-"));
  try {
    const output = join(folder, "report.json");
    const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
    const options = ["bench", "--run", "--config", "vitest.workspace.ts", "--maxWorkers=1"];
    // Both projects would find the same files.
    const report = ["--project", "unit*", "--reporter=json", `--outputFile=${output}`];
    execFileSync(process.execPath, [vitest, ...options, ...report, ...filters], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "inherit"],
    });
    return JSON.parse(readFileSync(output, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function linesOf(report: Report): readonly Line[] {
  const lines: Line[] = [];
  for (const { name: path, assertionResults } of report.testResults) {
    const file = relative(ROOT, path);
    for (const { benchmarks } of assertionResults) {
      for (const { name, latency } of (benchmarks ?? []).flatMap(({ tasks }) => tasks)) {
        const [median, mean, p99] = [latency.p50, latency.mean, latency.p99].map((ms) => ms * 1e3);
        lines.push({
          file,
          name,
          median: median ?? 0,
          mean: mean ?? 0,
          p99: p99 ?? 0,
          error: latency.rme,
        });
      }
    }
  }
  return lines.toSorted((a, b) => a.file.localeCompare(b.file));
}

function markdownOf(lines: readonly Line[], machine: Readonly<Record<string, string>>): string {
  const text = [
    "# Micro benchmarks",
    "",
    "Made by `node bench/micro.ts`; microseconds per operation, the time of an empty function included.",
    "",
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    "",
  ];
  let file = "";
  for (const line of lines) {
    if (line.file !== file) {
      file = line.file;
      text.push(`${text.at(-1)?.startsWith("|") ? "\n" : ""}## ${file}`, "");
      text.push("| operation | median | mean | p99 |", "| --- | ---: | ---: | ---: |");
    }
    const [median, mean, p99] = [line.median, line.mean, line.p99].map(format);
    text.push(`| ${line.name} | ${median} | ${mean} ± ${line.error.toFixed(0)} % | ${p99} |`);
  }
  return `${text.join("\n")}\n`;
}

function format(microseconds: number): string {
  return microseconds < 10 ? microseconds.toFixed(3) : microseconds.toFixed(1);
}

const filters = process.argv.slice(2);
const { Go: _, ...machine } = describeMachine();
const lines = linesOf(measure(filters));
const markdown = markdownOf(lines, machine);
console.log(markdown);
if (filters.length === 0) {
  writeFileSync(join(ROOT, "bench/micro.md"), markdown);
  const record = { date: new Date().toISOString().slice(0, 10), machine, lines };
  writeFileSync(join(ROOT, "bench/micro.json"), `${JSON.stringify(record, null, 2)}\n`);
}
