import type { ProcessMetrics } from "@nodepass/model";
import { formatLabels, type MetricsPage } from "./metrics-page.ts";

type Read = (metrics: ProcessMetrics) => number | undefined;

const METRICS: readonly (readonly [name: string, help: string, read: Read])[] = [
  ["process_start_time_seconds", "Unix time of the start", (m) => m.startTimeSeconds],
  ["process_resident_memory_bytes", "Resident memory", (m) => m.residentMemoryBytes],
  ["process_open_fds", "Open file descriptors", (m) => m.openFileDescriptors],
  [
    "process_max_fds",
    "Most file descriptors the process may have open",
    (m) => m.maxFileDescriptors,
  ],
  ["nodejs_heap_size_used_bytes", "JavaScript heap in use", (m) => m.heapUsedBytes],
  ["nodejs_heap_size_total_bytes", "JavaScript heap reserved", (m) => m.heapTotalBytes],
  ["nodejs_eventloop_lag_seconds", "Delay of the event loop", (m) => m.eventLoopLagSeconds],
  ["nodepass_workers", "Worker threads that run now", (m) => m.workers],
  ["process_cpu_user_seconds_total", "CPU time in user mode", (m) => m.cpuUserSeconds],
  ["process_cpu_system_seconds_total", "CPU time in system mode", (m) => m.cpuSystemSeconds],
  [
    "process_cpu_seconds_total",
    "CPU time of both kinds",
    (m) => m.cpuUserSeconds + m.cpuSystemSeconds,
  ],
  ["nodepass_worker_restarts_total", "Workers replaced after a crash", (m) => m.workerRestarts],
];

/**
 * Writes the metrics of the process under the names that dashboards for Node.js expect; what the
 * platform does not tell is left out.
 */
export function writeProcessMetrics(
  page: MetricsPage,
  figures: ProcessMetrics,
  version: string,
): void {
  for (const [name, help, read] of METRICS) {
    const value = read(figures);
    if (value === undefined) continue;
    page.family(name, name.endsWith("_total") ? "counter" : "gauge", help);
    page.series("", Math.max(0, value));
  }
  page.family("nodepass_build_info", "gauge", "Always 1; the version is in the label");
  page.series(formatLabels({ version }), 1);
}
