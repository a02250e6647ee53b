import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TunnelCounters } from "@nodepass/tunnel-core";

const SCRIPT = fileURLToPath(new URL("tunnels-process.ts", import.meta.url));

/** Where a tunnel of the process is to be met: ports on 127.0.0.1. */
export interface Door {
  readonly tunnel?: number;
  readonly entry?: number;
}

/** Tunnels in a process that may have only so many descriptors. */
export interface LimitedProcess {
  readonly doors: readonly Door[];
  /** As of the last 100 ms, one for each tunnel. */
  counters(): readonly TunnelCounters[];
  /** Descriptors that are open now. */
  descriptors(): number;
  /** `undefined` as long as it runs, else how it ended and what it said last. */
  ended(): string | undefined;
  close(): Promise<void>;
}

/** @param descriptors soft and hard limit (`ulimit -n`) */
export async function startLimitedProcess(
  descriptors: number,
  limits: object,
  urls: readonly string[],
): Promise<LimitedProcess> {
  const command = `ulimit -n ${descriptors} && exec "$0" "$@"`;
  const args = ["-c", command, process.execPath, SCRIPT, JSON.stringify(limits), ...urls];
  const child: ChildProcess = spawn("sh", args, { stdio: ["pipe", "pipe", "pipe"] });
  const { stdin, stdout, stderr, pid } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("no pipes");
  let errors = "";
  let end: string | undefined;
  stdin.on("error", () => {});
  stderr.on("data", (bytes: Buffer) => {
    errors = `${errors}${bytes}`.slice(-4000);
  });
  child.once("close", (code, signal) => {
    end = `ended with ${signal ?? code}: ${errors}`;
  });
  let counters: readonly TunnelCounters[] = [];
  const doors = await new Promise<readonly Door[]>((resolve, reject) => {
    createInterface(stdout).on("line", (line) => {
      const said = JSON.parse(line);
      if (said.doors !== undefined) resolve(said.doors);
      if (said.counters !== undefined) counters = said.counters;
    });
    child.once("close", () => reject(new Error(end)));
  });
  return {
    doors,
    counters: () => counters,
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length,
    ended: () => end,
    close: async () => {
      if (end !== undefined) return;
      const closed = once(child, "close");
      stdin.end();
      await closed;
    },
  };
}
