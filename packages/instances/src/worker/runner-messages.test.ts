import { DEFAULT_ENVIRONMENT } from "@nodepass/url-config";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RunnerCommand, readRunnerCommand } from "./runner-command.ts";
import {
  eachCounters,
  NO_COUNTERS,
  pushCounters,
  type RunnerReport,
  readRunnerReport,
} from "./runner-report.ts";
import { readRunnerSettings } from "./runner-settings.ts";

const commands: RunnerCommand[] = [
  { kind: "open", run: 1, config: "client://:1/:2" },
  { kind: "close", run: 2, timeoutMs: 5000 },
  { kind: "read", run: 3 },
];
const reports: RunnerReport[] = [
  {
    kind: "state",
    run: 1,
    state: "error",
    reason: "lost",
    mode: 2,
    tunnelAddress: { host: "::1", port: 1 },
    entryAddress: undefined,
  },
  { kind: "counters", rows: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
  { kind: "log", run: 1, time: 2, level: "warn", message: "text", fields: { a: 1, b: undefined } },
  { kind: "closed", run: 1, reason: undefined },
];

describe("messages", () => {
  it.each(commands)("a $kind command passes", (command) => {
    expect(readRunnerCommand(structuredClone(command))).toEqual(command);
  });

  it.each(reports)("a $kind report passes", (report) => {
    expect(readRunnerReport(structuredClone(report))).toEqual(report);
  });

  it.each([...commands, ...reports])("a $kind message with one bad field is refused", (message) => {
    for (const name of Object.keys(message)) {
      const bad = { ...message, [name]: Symbol.iterator };
      expect(() => readRunnerCommand(bad)).toThrow(TypeError);
      expect(() => readRunnerReport(bad)).toThrow(TypeError);
    }
  });

  it("anything else is refused", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => readRunnerCommand(value)).toThrow(TypeError);
        expect(() => readRunnerReport(value)).toThrow(TypeError);
        expect(() => readRunnerSettings(value)).toThrow(TypeError);
      }),
    );
  });

  it("counters need whole rows of numbers", () => {
    for (const rows of [[1], [Number.NaN], Array(9).fill("1"), Array(9).fill(-1)]) {
      expect(() => readRunnerReport({ kind: "counters", rows })).toThrow(TypeError);
    }
  });

  it("counters come out as they went in", () => {
    const rows: number[] = [];
    const counters = { ...NO_COUNTERS, tcps: 1, udps: 2, tcprx: 3, tcptx: 4, udprx: 5, udptx: 6 };
    pushCounters(rows, 7, { ...counters, pool: 8, ping: 9 });
    pushCounters(rows, 8, NO_COUNTERS);
    const seen = new Map<number, unknown>();
    eachCounters(rows, (run, live) => seen.set(run, live));
    expect(seen).toEqual(
      new Map<number, unknown>([
        [7, { ...counters, pool: 8, ping: 9 }],
        [8, NO_COUNTERS],
      ]),
    );
  });

  it("worker data need every limit", () => {
    const settings = { limits: DEFAULT_ENVIRONMENT, counterIntervalMs: 250 };
    expect(readRunnerSettings(structuredClone(settings))).toEqual(settings);
    const { reportIntervalMs: _, ...others } = DEFAULT_ENVIRONMENT;
    expect(() => readRunnerSettings({ ...settings, limits: others })).toThrow(TypeError);
  });
});
