// The benchmark: our tunnel and every peer that is there, in turn, under the same load.
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname, resolve } from "node:path";
import { chartOf } from "./chart.ts";
import { replaceBetweenMarkers } from "./document.ts";
import { compareBuilds, guardText, hasWorse } from "./guard.ts";
import { describeMachine } from "./machine.ts";
import { ourSystems } from "./nodepass-systems.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { findPeers } from "./peer-systems.ts";
import { buildLoad, buildOurs, buildRelease, OUR_MAIN } from "./prepare.ts";
import type { Failure, Results } from "./results.ts";
import { runSystem, type Turn } from "./run-system.ts";
import type { Missing, System } from "./system.ts";
import { tablesOf } from "./tables.ts";

interface Field {
  readonly systems: readonly System[];
  readonly missing: readonly Missing[];
}

function chooseSystems(options: BenchOptions): Field {
  const peers = findPeers(process.env);
  const all = [
    ...ourSystems({ name: "nodepass-ts", main: OUR_MAIN }, true),
    ...options.builds.flatMap((build) =>
      ourSystems({ name: build.name, main: resolve(build.main) }, false),
    ),
    ...peers.systems,
  ];
  const wanted = options.systems;
  if (wanted === undefined) return { systems: all, missing: peers.missing };
  for (const name of wanted) {
    if (!all.some((system) => system.name === name)) throw new Error(`no system named ${name}`);
  }
  return { systems: all.filter((system) => wanted.includes(system.name)), missing: [] };
}

async function runAll(options: BenchOptions, { systems, missing }: Field): Promise<Results> {
  const load = buildLoad();
  const machine = describeMachine();
  const turns = new Map<System, (Turn | Failure)[]>(systems.map((system) => [system, []]));
  for (let round = 1; round <= options.rounds; round++) {
    for (const [system, done] of turns) {
      console.error(`round ${round} of ${options.rounds}: ${system.name}`);
      try {
        done.push(await runSystem(system, { ...options, load }));
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error);
        console.error(failure);
        done.push({ failure });
      }
    }
  }
  const load1 = (loadavg()[0] ?? 0).toFixed(2);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: { ...machine, "load average at the end (the benchmark's own included)": load1 },
    rounds: options.rounds,
    durationSeconds: options.durationSeconds,
    systems: [...turns].map(([{ name, group, reference, build, version }, done]) => ({
      ...{ name, group, reference, build, version },
      turns: done,
    })),
    missing,
  };
}

/** The last release is one more build of ours. */
function withRelease(options: BenchOptions): BenchOptions {
  const release = buildRelease();
  // Those that were chosen, and their counterparts.
  const counterparts = options.systems
    ?.filter((name) => name.startsWith("nodepass-ts"))
    .map((name) => name.replace("nodepass-ts", release.name));
  return {
    ...options,
    builds: [...options.builds, release],
    systems: options.systems && [...options.systems, ...(counterparts ?? [])],
  };
}

function write(file: string, content: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, content);
}

async function main(): Promise<void> {
  const request = parseOptions(process.argv.slice(2));
  if (request.kind === "help") {
    console.log(USAGE);
    return;
  }
  const { kind } = request;
  const guarded = kind === "run" && request.options.guard;
  const options = guarded ? withRelease(request.options) : request.options;
  const field = chooseSystems(options);
  if (kind === "list") {
    for (const { name, group, version } of field.systems) {
      console.log(`${name.padEnd(20)} ${group.padEnd(20)} ${version}`);
    }
    for (const { name, why } of field.missing) console.log(`${name.padEnd(20)} ${why}`);
    return;
  }
  buildOurs();
  const results = await runAll(options, field);
  const tables = tablesOf(results, options.phases);
  console.log(tables);
  const comparisons = compareBuilds(results, options.phases);
  if (comparisons.length > 0) console.log(guardText(comparisons));
  if (options.guard && hasWorse(comparisons)) process.exitCode = 1;
  if (options.json !== undefined) write(options.json, `${JSON.stringify(results, null, 1)}\n`);
  if (options.markdown !== undefined) replaceBetweenMarkers(options.markdown, "bench", tables);
  if (options.chart !== undefined) write(options.chart, chartOf(results));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
