import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { createSystemMonitor } from "./system-monitor.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const stat = (busy: number, idle: number) => `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 1 1 1 1\n`;

function monitor(files: Record<string, string>) {
  const created = createSystemMonitor({ readProc: (name) => files[name], cpuIntervalMs: 1000 });
  onTestFinished(() => created.close());
  return created;
}

it("measures the processor from one interval to the next", () => {
  const files = { stat: stat(0, 0) };
  const { figures } = monitor(files);
  files.stat = stat(30, 70);
  vi.advanceTimersByTime(1000);
  files.stat = stat(120, 80);
  expect(figures().cpu).toBe(30);
  vi.advanceTimersByTime(1000);
  expect(figures().cpu).toBe(90);
});

it("measures since its start before the first interval is over", () => {
  const files = { stat: stat(10, 10) };
  const { figures } = monitor(files);
  expect(figures().cpu).toBe(-1);
  files.stat = stat(15, 15);
  expect(figures().cpu).toBe(50);
});

it("gives every figure as a whole number", () => {
  const { figures } = monitor({
    stat: stat(1, 2),
    meminfo: "MemTotal: 100 kB\nMemAvailable: 40 kB\nSwapTotal: 10 kB\nSwapFree: 9 kB\n",
    "net/dev": "  eth0: 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0\n",
    diskstats: "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n",
    uptime: "12.9 1.0\n",
  });
  expect(figures()).toEqual({
    cpu: -1,
    mem_total: 102_400,
    mem_used: 61_440,
    mem_free: 40_960,
    swap_total: 10_240,
    swap_used: 1024,
    swap_free: 9216,
    netrx: 5,
    nettx: 6,
    diskr: 1536,
    diskw: 3584,
    sysup: 12,
  });
});

it("says that it knows nothing where there is no /proc", () => {
  const { figures } = monitor({});
  const { cpu, ...others } = figures();
  expect(cpu).toBe(-1);
  expect(new Set(Object.values(others))).toEqual(new Set([0]));
  expect(vi.getTimerCount()).toBe(0);
});

it.runIf(process.platform === "linux")("reads the system's own figures", () => {
  vi.useRealTimers();
  const real = createSystemMonitor();
  onTestFinished(() => real.close());
  const { mem_total, mem_used, mem_free, sysup } = real.figures();
  expect(mem_total).toBeGreaterThan(0);
  expect(mem_used + mem_free).toBe(mem_total);
  expect(sysup).toBeGreaterThan(0);
});
