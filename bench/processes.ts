import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Command } from "./system.ts";

/** Below the ports that systems give to outgoing connections, which come and go under load. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    // Somebody listens there.
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** The running processes of one system. */
export class Processes {
  readonly #children: ChildProcess[] = [];
  readonly #output: string[] = [];

  start(command: Command): ChildProcess {
    // A group of its own: programs that fork are ended whole.
    const child = spawn(command.file, command.args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.on("error", (error) => this.#output.push(error.message));
    child.stdout.on("data", (chunk: Buffer) => this.#keep(chunk));
    child.stderr.on("data", (chunk: Buffer) => this.#keep(chunk));
    this.#children.push(child);
    return child;
  }

  #keep(chunk: Buffer): void {
    if (this.#output.length < 20) this.#output.push(chunk.toString("utf8"));
  }

  get pids(): readonly number[] {
    return this.#children.map((child) => child.pid).filter((pid) => pid !== undefined);
  }

  /** What they have printed, the beginning of it. */
  get output(): string {
    return this.#output.join("").trim();
  }

  /** Ends all, and what they have started. */
  async stop(): Promise<void> {
    const running = this.#children.filter(
      (child) => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    );
    const gone = running.map((child) => once(child, "exit"));
    for (const child of running) signalGroup(child, "SIGTERM");
    const late = setTimeout(() => {
      for (const child of running) signalGroup(child, "SIGKILL");
    }, 3000);
    await Promise.all(gone);
    clearTimeout(late);
    for (const child of this.#children) signalGroup(child, "SIGKILL");
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Resident and proportional memory (bytes) and processor time (seconds) of processes. */
export function usageOf(pids: readonly number[]): { rss: number; pss: number; cpu: number } {
  const usage = { rss: 0, pss: 0, cpu: 0 };
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime and stime, in ticks of 10 ms
    usage.cpu += (Number(fields[11]) + Number(fields[12])) / 100;
    const memory = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    usage.rss += kilobytes(memory, "Rss") * 1024;
    usage.pss += kilobytes(memory, "Pss") * 1024;
  }
  return usage;
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
}
