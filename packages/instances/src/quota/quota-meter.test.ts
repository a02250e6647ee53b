import { parseTunnelUrl, type Quota } from "@nodepass/url-config";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { QuotaMeter } from "./quota-meter.ts";
import { quotaPeriod } from "./quota-period.ts";

const at = (text: string): number => Date.parse(text);

describe("periods", () => {
  it.each([
    ["month", 1, "2026-11-26T10:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"],
    ["month", 15, "2026-11-14T23:59:59Z", "2026-10-15T00:00:00Z", "2026-11-15T00:00:00Z"],
    ["month", 15, "2026-11-15T00:00:00Z", "2026-11-15T00:00:00Z", "2026-12-15T00:00:00Z"],
    ["month", 28, "2026-01-03T00:00:00Z", "2025-12-28T00:00:00Z", "2026-01-28T00:00:00Z"],
    ["month", 28, "2028-02-28T00:00:00Z", "2028-02-28T00:00:00Z", "2028-03-28T00:00:00Z"],
    ["day", 1, "2026-12-31T23:59:59.999Z", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"],
  ] as const)("%s from day %i at %s", (period, day, now, start, end) => {
    expect(quotaPeriod(period, day, at(now))).toEqual({ start: at(start), end: at(end) });
  });

  it("never end without one", () => {
    expect(quotaPeriod("ever", 1, at("2026-11-26T10:00:00Z"))).toEqual({
      start: 0,
      end: undefined,
    });
  });
});

describe("a meter", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.setSystemTime("2026-11-26T10:00:00Z");
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const settingsOf = (query: string): { quota: Quota; quotaDay: number } => {
    const { quota, quotaDay } = parseTunnelUrl(`client://h:1/t:2?${query}`);
    if (quota === undefined) throw new Error("no quota");
    return { quota, quotaDay };
  };

  function meterOf(query: string, record?: QuotaMeter["record"]) {
    const told: (number | string)[] = [];
    const meter = new QuotaMeter(
      settingsOf(query),
      record,
      {
        onWarning: (percent) => told.push(percent),
        onUsedUp: (reason) => told.push(reason),
        onReset: (wasUsedUp) => told.push(wasUsedUp ? "again" : "anew"),
      },
      Date.now,
    );
    return { meter, told };
  }

  it("warns once at each share, and says when all is used", () => {
    const { meter, told } = meterOf("quota=1000B/month&quotaday=15");
    for (let part = 0; part < 100; part++) meter.add(9);
    expect(told).toEqual([80]);
    expect(meter.usedUp).toBeUndefined();
    for (let part = 0; part < 100; part++) meter.add(9);
    const reason = "quota of 1KB/month is used up, it begins anew at 2026-12-15T00:00:00.000Z";
    expect(told).toEqual([80, 95, reason]);
    expect(meter.usedUp).toBe(reason);
    expect(meter.view).toEqual({ limit: 1000, used: 1800, resets: "2026-12-15T00:00:00.000Z" });
  });

  it("tells all that one step has passed", () => {
    const { meter, told } = meterOf("quota=1KB");
    meter.add(5000);
    expect(told).toEqual([80, 95, "quota of 1KB is used up"]);
    expect(meter.view.resets).toBeNull();
  });

  it("begins anew with the period, however far away that is", () => {
    const { meter, told } = meterOf("quota=1KB/month");
    meter.begin();
    meter.add(2000);
    expect(told.splice(0)).toHaveLength(3);
    vi.setSystemTime("2026-11-30T23:59:59.999Z");
    meter.add(1);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(20 * 86_400_000);
    expect(told.splice(0)).toEqual(["again"]);
    expect(meter.usedUp).toBeUndefined();
    meter.end();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes on with what was saved, unless that is of a period that is over", () => {
    const now = { start: at("2026-11-01T00:00:00Z"), used: 900, warned: 80 };
    const going = meterOf("quota=1KB/month", now);
    going.meter.add(50);
    expect(going.told).toEqual([95]);
    expect(going.meter.record).toBe(now);
    const before = meterOf("quota=1KB/month", {
      start: at("2026-10-01T00:00:00Z"),
      used: 2000,
      warned: 100,
    });
    expect(before.meter.view.used).toBe(0);
    expect(before.told).toEqual([]);
  });

  it("keeps what is used under another quota, and gives nothing back for a clock set back", () => {
    const { meter, told } = meterOf("quota=1KB/month");
    meter.add(1000);
    told.length = 0;
    meter.change(settingsOf("quota=2KB/month"));
    expect(meter.usedUp).toBeUndefined();
    meter.begin();
    meter.add(600);
    expect(told).toEqual([80]);
    meter.change(settingsOf("quota=1200B/month"));
    meter.begin();
    expect(told.at(-1)).toMatch(/^quota of 1200B\/month is used up/);
    vi.setSystemTime("2026-10-02T00:00:00Z");
    meter.add(1);
    expect(meter.view.used).toBe(1601);
    meter.end();
  });
});
