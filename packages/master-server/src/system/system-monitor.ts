import { readFileSync } from "node:fs";
import type { MasterInfo } from "@nodepass/model";
import { type CpuTimes, cpuPercent, parseCpuTimes } from "./cpu-times.ts";
import { parseDiskTraffic } from "./disk-traffic.ts";
import { parseMemory } from "./memory.ts";
import { parseNetworkTraffic } from "./network-traffic.ts";
import { parseUptime } from "./uptime.ts";

/** The host's figures, in the names and units of `GET /info`. */
export type SystemFigures = Pick<
  MasterInfo,
  | "cpu"
  | `mem_${"total" | "used" | "free"}`
  | `swap_${"total" | "used" | "free"}`
  | "netrx"
  | "nettx"
  | "diskr"
  | "diskw"
  | "sysup"
>;

/** Where the figures come from. */
export interface SystemMonitorOptions {
  /**
   * Gives the text of a file of `/proc` by its path there, `undefined` if it cannot be read.
   * @default the system's, which has none but on Linux
   */
  readonly readProc?: ((name: string) => string | undefined) | undefined;
  /** Time over which the processor's use is measured, ms. @default 2000 */
  readonly cpuIntervalMs?: number | undefined;
}

/** Watches the host; to be closed, as it has a timer (that keeps no process alive). */
export interface SystemMonitor {
  figures(): SystemFigures;
  close(): void;
}

/**
 * Starts to watch the host. Files of `/proc` are made by the kernel when they are read and never
 * wait for a disk, so they are read synchronously: a call takes well below a millisecond.
 */
export function createSystemMonitor(options: SystemMonitorOptions = {}): SystemMonitor {
  const { readProc = readSystemProc, cpuIntervalMs = 2000 } = options;
  const read = (name: string) => readProc(name) ?? "";
  let before: CpuTimes | undefined = parseCpuTimes(read("stat"));
  let cpu = -1;

  const measure = (): void => {
    const after = parseCpuTimes(read("stat"));
    if (before !== undefined && after !== undefined) cpu = cpuPercent(before, after) ?? cpu;
    before = after;
  };
  const timer = before === undefined ? undefined : setInterval(measure, cpuIntervalMs);
  timer?.unref();

  return {
    figures() {
      // The first interval is not over yet: better a short measurement than none.
      if (cpu === -1 && before !== undefined) {
        const after = parseCpuTimes(read("stat"));
        if (after !== undefined) cpu = cpuPercent(before, after) ?? cpu;
      }
      const memory = parseMemory(read("meminfo"));
      const network = parseNetworkTraffic(read("net/dev"));
      const disk = parseDiskTraffic(read("diskstats"));
      return {
        cpu,
        mem_total: memory.memTotal,
        mem_used: memory.memUsed,
        mem_free: memory.memFree,
        swap_total: memory.swapTotal,
        swap_used: memory.swapUsed,
        swap_free: memory.swapFree,
        netrx: network.received,
        nettx: network.sent,
        diskr: disk.read,
        diskw: disk.written,
        sysup: parseUptime(read("uptime")),
      };
    },
    close: () => clearInterval(timer),
  };
}

function readSystemProc(name: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}`, "utf8");
  } catch {
    // Not Linux, or a sandbox that hides it: the figure is unknown.
    return undefined;
  }
}
