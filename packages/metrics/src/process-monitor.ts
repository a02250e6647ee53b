import { readdirSync, readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { ProcessMetrics } from "@nodepass/model";

/** Watches this process; to be closed. */
export interface ProcessMonitor {
  figures(): ProcessMetrics;
  close(): void;
}

/** Time between two looks at the event loop's delay, ms: rare enough to cost nothing. */
const resolutionMs = 50;

/** Starts to watch this process. */
export function createProcessMonitor(): ProcessMonitor {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  const maxFileDescriptors = readMaxFileDescriptors();
  const startTimeSeconds = performance.timeOrigin / 1000;
  return {
    figures() {
      const cpu = process.cpuUsage();
      const memory = process.memoryUsage();
      // Nanoseconds between two looks, the wanted time included; no number before the first.
      const meanMs = Number.isFinite(delays.mean) ? delays.mean / 1e6 : 0;
      delays.reset();
      return {
        startTimeSeconds,
        cpuUserSeconds: cpu.user / 1e6,
        cpuSystemSeconds: cpu.system / 1e6,
        residentMemoryBytes: memory.rss,
        heapUsedBytes: memory.heapUsed,
        heapTotalBytes: memory.heapTotal,
        openFileDescriptors: countFileDescriptors(),
        maxFileDescriptors,
        eventLoopLagSeconds: Math.max(0, meanMs - resolutionMs) / 1000,
      };
    },
    close: () => delays.disable(),
  };
}

function countFileDescriptors(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // Only Linux tells.
    return undefined;
  }
}

function readMaxFileDescriptors(): number | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    // Only Linux tells.
    return undefined;
  }
}
