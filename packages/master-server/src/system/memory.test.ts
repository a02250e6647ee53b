import { expect, it } from "vitest";
import { parseMemory } from "./memory.ts";

const meminfo = `MemTotal:        8048836 kB
MemFree:          424404 kB
MemAvailable:    5109260 kB
Buffers:          262144 kB
Cached:          4194304 kB
SwapCached:            0 kB
SwapTotal:       2097148 kB
SwapFree:        2000000 kB
HugePages_Total:       0
VmallocTotal:   34359738367 kB
`;

it("reads kibibytes as bytes; used and free add up to the total", () => {
  expect(parseMemory(meminfo)).toEqual({
    memTotal: 8_242_008_064,
    memFree: 5_231_882_240,
    memUsed: 3_010_125_824,
    swapTotal: 2_147_479_552,
    swapFree: 2_048_000_000,
    swapUsed: 99_479_552,
  });
});

it("counts caches as free where the kernel doesn't say what is available", () => {
  const text = meminfo.replace(/^MemAvailable.*\n/m, "");
  expect(parseMemory(text).memFree).toBe((424_404 + 262_144 + 4_194_304) * 1024);
});

it("never has more free than there is", () => {
  const text = "MemTotal: 10 kB\nMemAvailable: 20 kB\nSwapTotal: 0 kB\nSwapFree: 5 kB\n";
  expect(parseMemory(text)).toMatchObject({
    memFree: 10_240,
    memUsed: 0,
    swapFree: 0,
    swapUsed: 0,
  });
});

it.each(["", "MemTotal: lots\n", "\0"])("makes zeros of %j", (text) => {
  expect(Object.values(parseMemory(text))).toEqual([0, 0, 0, 0, 0, 0]);
});
