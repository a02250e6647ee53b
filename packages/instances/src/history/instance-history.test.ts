import { HISTORY_RANGES, type Instance, NO_COUNTERS, NO_META } from "@nodepass/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InstanceHistoryLog } from "./instance-history.ts";

const START = Date.UTC(2026, 0, 2, 3, 0, 0);
const SECOND = 1000;

function instance(fields: Partial<Instance>): Instance {
  return {
    ...{ id: "a1b2c3d4", alias: "", type: "server", status: "running", url: "", config: "" },
    ...{ restart: true, meta: NO_META, mode: 1, ...NO_COUNTERS, link: "up", reason: "" },
    ...{ since: "", nextRetry: null, restingTargets: [] },
    ...fields,
  };
}

/** A log of `seconds` at 1,000 bytes/s received and 500 sent, looked at every 5 s. */
function filled(seconds: number, log = new InstanceHistoryLog(), from = START) {
  for (let at = 0; at <= seconds; at += 5) {
    const counters = {
      tcprx: at * 900,
      udprx: at * 100,
      tcptx: at * 500,
      tcps: 3,
      pool: 8,
      ping: 7,
    };
    log.note(from + at * SECOND, instance(counters));
  }
  return log;
}

describe("a history", () => {
  it("has rates, connections, pool and ping in every step", () => {
    const hour = filled(60).read("hour", START + 60 * SECOND);
    expect(hour.step).toBe(5);
    expect(hour.start).toBe(new Date(START + 5 * SECOND).toISOString());
    expect(hour.rx).toEqual(Array(12).fill(1000));
    expect(hour.tx).toEqual(Array(12).fill(500));
    expect([hour.tcps.at(-1), hour.udps.at(-1), hour.pool.at(-1), hour.ping.at(-1)]).toEqual([
      ...[3, 0, 8, 7],
    ]);
  });

  it("is bounded: an hour, a day and thirty days, in longer steps", () => {
    const log = new InstanceHistoryLog();
    const days = 31;
    // A look a minute is enough for the longer ones.
    for (let minute = 0; minute <= days * 1440; minute++) {
      log.note(START + minute * 60 * SECOND, instance({ tcprx: minute * 60_000 }));
    }
    const now = START + days * 86_400 * SECOND;
    for (const range of ["hour", "day", "month"] as const) {
      const { step, rx, start } = log.read(range, now);
      const { stepSeconds, points } = HISTORY_RANGES[range];
      expect(step).toBe(stepSeconds);
      expect(rx).toHaveLength(points);
      expect(Date.parse(start)).toBe(now - (points - 1) * stepSeconds * SECOND);
      expect(rx.at(-1)).toBe(1000);
    }
    expect(log.encode().byteLength).toBeLessThan(124_000);
  });

  it("shows where the instance did not run", () => {
    const log = filled(10);
    log.pause();
    filled(10, log, START + 60 * SECOND);
    const { rx } = log.read("hour", START + 80 * SECOND);
    expect(rx.slice(0, 2)).toEqual([1000, 1000]);
    expect(rx.slice(2, 12)).toEqual(Array(10).fill(null));
    expect(rx.slice(12)).toEqual([null, 1000, 1000, null, null].slice(1));
  });

  it("takes a reset and a clock that goes back for no traffic", () => {
    const log = new InstanceHistoryLog();
    log.note(START, instance({ tcprx: 5000 }));
    log.note(START + 5 * SECOND, instance({ tcprx: 0 }));
    log.note(START - 60 * SECOND, instance({ tcprx: 10 }));
    expect(log.read("hour", START + 5 * SECOND).rx).toEqual([0]);
  });

  it("comes back from its bytes, and from nothing else", () => {
    const log = filled(7200);
    const bytes = log.encode();
    const now = START + 7200 * SECOND;
    const again = new InstanceHistoryLog();
    expect(again.decode(bytes)).toBe(true);
    for (const range of ["hour", "day", "month"] as const) {
      expect(again.read(range, now)).toEqual(log.read(range, now));
    }
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ by;
        expect(new InstanceHistoryLog().decode(damaged)).toBe(false);
        expect(new InstanceHistoryLog().decode(bytes.subarray(0, at))).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});
