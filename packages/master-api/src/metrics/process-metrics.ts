import type { ProcessMetrics } from "@nodepass/model";
import { Counter, Gauge, type Registry } from "prom-client";

type Read = (metrics: ProcessMetrics) => number | undefined;

const GAUGES: readonly (readonly [name: string, help: string, read: Read])[] = [
  ["process_start_time_seconds", "Unix time of the start", (m) => m.startTimeSeconds],
  ["process_resident_memory_bytes", "Resident memory", (m) => m.residentMemoryBytes],
  ["process_open_fds", "Open file descriptors", (m) => m.openFileDescriptors],
  ["nodejs_heap_size_used_bytes", "JavaScript heap in use", (m) => m.heapUsedBytes],
  ["nodejs_heap_size_total_bytes", "JavaScript heap reserved", (m) => m.heapTotalBytes],
  ["nodejs_eventloop_lag_seconds", "Delay of the event loop", (m) => m.eventLoopLagSeconds],
  ["nodepass_workers", "Worker threads that run now", (m) => m.workers],
];

const COUNTERS: readonly (readonly [name: string, help: string, read: Read])[] = [
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
 * Metrics of the process under the names that dashboards for Node.js expect.
 *
 * @param read the process at the scrape under way
 * @param readers open event streams
 */
export function registerProcessMetrics(
  registry: Registry,
  read: () => ProcessMetrics,
  readers: () => number,
): void {
  for (const [name, help, pick] of GAUGES) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const value = pick(read());
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }
  for (const [name, help, pick] of COUNTERS) {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        const value = pick(read());
        this.reset();
        if (value === undefined) this.remove();
        else this.inc(Math.max(0, value));
      },
    });
  }
  new Gauge({
    name: "nodepass_event_readers",
    help: "Open event streams",
    registers: [registry],
    collect() {
      this.set(readers());
    },
  });
}
