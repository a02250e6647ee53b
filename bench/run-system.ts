import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts, Processes, usageOf } from "./processes.ts";
import type { System } from "./system.ts";

/** What one phase has measured, by name. */
export interface PhaseResult {
  readonly figures: Readonly<Record<string, number>>;
  /** The last error of the phase. */
  readonly problem?: string | undefined;
}

/** One turn of one system: its phases, and `start` for what it weighs before the first. */
export type Turn = Readonly<Record<string, PhaseResult>>;

export interface TurnOptions {
  readonly load: string;
  readonly phases: readonly string[];
  readonly durationSeconds: number;
}

/** How long idle instances are watched. */
const WATCH_MS = 3000;

/** Starts a system, puts it under load, and stops it. */
export async function runSystem(system: System, options: TurnOptions): Promise<Turn> {
  const possible = options.phases.filter((name) => system.udp || !name.startsWith("udp"));
  const busy = possible.filter((name) => !/^(instances|idle)/.test(name));
  const results: Record<string, PhaseResult> = {};
  if (busy.length > 0)
    Object.assign(results, await underLoad(system, ["warmup", ...busy], options));
  // Memory is told of fresh processes: used ones have room from before.
  for (const name of possible.filter((phase) => phase.startsWith("idle"))) {
    Object.assign(results, await underLoad(system, [name], options));
  }
  for (const name of possible.filter((phase) => phase.startsWith("instances"))) {
    if (system.instances === undefined) continue;
    results[name] = await idleInstances(system, Number(name.slice("instances".length)));
  }
  return results;
}

async function underLoad(
  system: System,
  phases: readonly string[],
  options: TurnOptions,
): Promise<Turn> {
  const [entry = 0, control = 0, target = 0] = await freePorts(3);
  const folder = mkdtempSync(join(tmpdir(), "nodepass-bench-"));
  const processes = new Processes();
  try {
    for (const command of system.commands({ entry, control, target, folder })) {
      processes.start(command);
      await sleep(200);
    }
    return await load(
      [
        ...["-entry", `127.0.0.1:${entry}`, "-target", `127.0.0.1:${target}`],
        ...["-pids", processes.pids.join(","), "-patience", `${system.patienceSeconds}s`],
        ...["-duration", `${options.durationSeconds}s`],
        ...["-phases", phases.join(",")],
      ],
      options.load,
    );
  } catch (error) {
    throw described(error, system, processes);
  } finally {
    await processes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function described(error: unknown, system: System, processes: Processes): Error {
  const why = error instanceof Error ? error.message : String(error);
  return new Error(`${system.name}: ${why}\n${processes.output}`, { cause: error });
}

async function load(args: readonly string[], file: string): Promise<Turn> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString("utf8");
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(complaints.trim() || `the load generator ended with ${code}`);
  const results: Record<string, PhaseResult> = {};
  for (const line of output.trim().split("\n")) {
    const { phase, figures, problem }: { phase: string } & PhaseResult = JSON.parse(line);
    if (phase !== "warmup") results[phase] = { figures, problem };
  }
  return results;
}

/** Memory and processor time of tunnels that have nothing to do. */
async function idleInstances(system: System, count: number): Promise<PhaseResult> {
  const empty = await watchInstances(system, 0);
  const full = await watchInstances(system, count);
  return {
    figures: {
      memoryMB: full.rss / 1e6,
      proportionalMB: full.pss / 1e6,
      kilobytesPerInstance: (full.pss - empty.pss) / 1e3 / count,
      cpuPercent: full.cpuPercent,
    },
  };
}

async function watchInstances(system: System, count: number) {
  const ports = await freePorts(count);
  const processes = new Processes();
  try {
    for (const command of system.instances?.(ports) ?? []) processes.start(command);
    for (const port of ports) await untilListening(port);
    await sleep(1000);
    const before = usageOf(processes.pids);
    await sleep(WATCH_MS);
    const after = usageOf(processes.pids);
    const cpuPercent = ((after.cpu - before.cpu) / (WATCH_MS / 1000)) * 100;
    return { rss: after.rss, pss: after.pss, cpuPercent };
  } catch (error) {
    throw described(error, system, processes);
  } finally {
    await processes.stop();
  }
}

async function untilListening(port: number): Promise<void> {
  const end = Date.now() + 20_000;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(50);
    } finally {
      socket.destroy();
    }
  }
}
