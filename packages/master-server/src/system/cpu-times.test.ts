import { describe, expect, it } from "vitest";
import { cpuPercent, parseCpuTimes } from "./cpu-times.ts";

const stat = `cpu  4705 150 1120 16250 520 30 45 7 200 10
cpu0 2352 75 560 8125 260 15 22 3 100 5
intr 114930548 113199788 3 0 5 263
ctxt 1990473
btime 1062191376
processes 2915
procs_running 1
`;

describe("parseCpuTimes", () => {
  it("adds the eight columns up, counts idle and iowait as idle, guests once", () => {
    expect(parseCpuTimes(stat)).toEqual({ busy: 6057, total: 22827 });
  });

  it("reads the four columns of old kernels", () => {
    expect(parseCpuTimes("cpu 1 2 3 4\n")).toEqual({ busy: 6, total: 10 });
  });

  it.each(["", "cpu0 1 2 3 4\n", "cpu  1 2 3\n", "cpu  a b c d\n", "cpu\n"])(
    "makes nothing of %j",
    (text) => {
      expect(parseCpuTimes(text)).toBeUndefined();
    },
  );
});

describe("cpuPercent", () => {
  it.each([
    [{ busy: 0, total: 0 }, { busy: 1, total: 3 }, 33],
    [{ busy: 5, total: 100 }, { busy: 105, total: 200 }, 100],
    [{ busy: 5, total: 100 }, { busy: 4, total: 200 }, 0],
    [{ busy: 5, total: 100 }, { busy: 5, total: 100 }, undefined],
    [{ busy: 5, total: 100 }, { busy: 1, total: 10 }, undefined],
  ])("of %j to %j is %s", (before, after, expected) => {
    expect(cpuPercent(before, after)).toBe(expected);
  });
});
