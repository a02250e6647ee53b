import { parseArgs } from "node:util";
import { FEWEST_ROUNDS } from "./guard.ts";

/** What to run, and where the results go. */
export interface BenchOptions {
  /** How often every system has its turn. */
  readonly rounds: number;
  /** Length of a timed phase, seconds. */
  readonly durationSeconds: number;
  readonly phases: readonly string[];
  /** Names of systems; `undefined`: all that are there. */
  readonly systems: readonly string[] | undefined;
  /** Other builds of ours to measure beside this one: name and path of their `main.js`. */
  readonly builds: readonly Build[];
  /** Build the last release too, measure it beside this one, and fail if something got worse for sure. */
  readonly guard: boolean;
  readonly json: string | undefined;
  /** A document whose part between the markers is replaced. */
  readonly markdown: string | undefined;
  readonly chart: string | undefined;
}

export interface Build {
  readonly name: string;
  readonly main: string;
}

/** Every phase, in the order in which they run. */
export const ALL_PHASES: readonly string[] = [
  ...["up1", "down1", "up8", "down8", "bidi1"],
  ...["rr1", "rr64", "crr1", "crr16", "burst500"],
  ...["halfclose", "integrity", "udp1", "udp64", "udpsize", "idle1000", "instances200"],
];

export const USAGE = `Usage: node bench/run.ts [options]

  --rounds N          turns of every system (default 3; 5 with --guard)
  --duration SECONDS  length of a timed phase (default 2)
  --phases A,B,...    ${ALL_PHASES.join(",")}
  --systems A,B,...   only these systems
  --build NAME=FILE   another build of ours: its apps/cli/dist/main.js; may be given more than once.
                      What got worse, phase by phase, is told at the end
  --guard             that for the last release (bench/release.json), which is built for it; ends
                      with 1 if something got worse for sure
  --json FILE         all figures of all rounds
  --markdown FILE     write the tables between the markers of this document
  --chart FILE        an SVG chart of the medians
  --list              the systems that were found, and those that were not
`;

/** What the command line asks for: a run, a list of systems, or help. */
export type Request =
  | { readonly kind: "run" | "list"; readonly options: BenchOptions }
  | { readonly kind: "help" };

/** @throws {Error} what is wrong with the arguments */
export function parseOptions(args: readonly string[]): Request {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string" },
      duration: { type: "string", default: "2" },
      phases: { type: "string", default: ALL_PHASES.join(",") },
      systems: { type: "string" },
      build: { type: "string", multiple: true, default: [] },
      guard: { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "string" },
      chart: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return { kind: "help" };
  const rounds = Number(values.rounds ?? (values.guard ? FEWEST_ROUNDS : 3));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number");
  const durationSeconds = Number(values.duration);
  if (!(durationSeconds >= 0.1 && durationSeconds <= 600)) {
    throw new Error("--duration takes 0.1 to 600 seconds");
  }
  const options: BenchOptions = {
    rounds,
    durationSeconds,
    phases: values.phases.split(","),
    systems: values.systems?.split(","),
    builds: values.build.map(parseBuild),
    guard: values.guard,
    json: values.json,
    markdown: values.markdown,
    chart: values.chart,
  };
  return { kind: values.list ? "list" : "run", options };
}

function parseBuild(text: string): Build {
  const at = text.indexOf("=");
  if (at < 1) throw new Error("--build takes NAME=FILE");
  return { name: text.slice(0, at), main: text.slice(at + 1) };
}
