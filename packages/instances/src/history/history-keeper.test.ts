import { type Instance, NO_COUNTERS, NO_META, SILENT_LOGGER } from "@nodepass/model";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HistoryKeeper } from "./history-keeper.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const seen: Instance = {
  ...{ id: "a", alias: "", type: "client", status: "running", url: "", config: "" },
  ...{ restart: true, meta: NO_META, mode: 1, ...NO_COUNTERS, link: "none", reason: "" },
  ...{ since: "", nextRetry: null, restingTargets: [] },
};

function setUp() {
  const kept = new Map<string, Uint8Array>();
  const warnings: string[] = [];
  let failure: Error | undefined;
  let writeMs = 0;
  const keeper = () =>
    new HistoryKeeper({
      now: Date.now,
      logger: { ...SILENT_LOGGER, warn: (_, message) => warnings.push(message) },
      files: {
        read: async (id) => kept.get(id),
        write: async (id, bytes) => {
          if (failure !== undefined) throw failure;
          if (writeMs > 0) await new Promise((resolve) => setTimeout(resolve, writeMs));
          kept.set(id, bytes);
        },
        remove: async (id) => {
          kept.delete(id);
        },
      },
    });
  return {
    kept,
    warnings,
    keeper,
    /** A write shows only after so long, as a file that is renamed at its end. */
    slowDown: (ms: number) => {
      writeMs = ms;
    },
    fail: (error: Error | undefined) => {
      failure = error;
    },
  };
}

const measured = (values: readonly (number | null)[]) => values.filter((value) => value !== null);

it("keeps a history over a stop and over a restart, and no timer while nothing runs", async () => {
  const { keeper, kept } = setUp();
  const first = keeper();
  expect(vi.getTimerCount()).toBe(0);
  first.begin("a", () => seen);
  await vi.advanceTimersByTimeAsync(30_000);
  await first.end("a");
  expect(vi.getTimerCount()).toBe(0);
  expect(measured((await first.read("a", "hour")).rx)).toHaveLength(5);
  first.begin("a", () => seen);
  await vi.advanceTimersByTimeAsync(30_000);
  await first.close();
  const second = keeper();
  expect(measured((await second.read("a", "hour")).rx)).toHaveLength(10);
  await second.remove("a");
  expect(kept.size).toBe(0);
  expect((await second.read("a", "hour")).rx).toEqual([]);
});

it("writes by itself every five minutes: a kill costs no more", async () => {
  const { keeper, kept } = setUp();
  const own = keeper();
  own.begin("a", () => seen);
  await vi.advanceTimersByTimeAsync(305_000);
  expect(kept.has("a")).toBe(true);
  own.destroy();
});

it("leaves damage aside and says once that it cannot write", async () => {
  const { keeper, kept, warnings, fail } = setUp();
  kept.set("a", Uint8Array.of(1, 2, 3));
  const own = keeper();
  expect((await own.read("a", "day")).rx).toEqual([]);
  fail(new Error("disk full"));
  for (const id of ["a", "b"]) own.begin(id, () => seen);
  await vi.advanceTimersByTimeAsync(30_000);
  await own.close();
  expect(warnings).toEqual([
    "damaged history left aside",
    "damaged history left aside",
    "history not kept",
  ]);
});

it("keeps the history of an instance that begins again while it is written", async () => {
  const { keeper, slowDown } = setUp();
  const own = keeper();
  own.begin("a", () => seen);
  await vi.advanceTimersByTimeAsync(30_000);
  slowDown(1000);
  void own.end("a");
  own.begin("a", () => seen);
  const read = own.read("a", "hour");
  await vi.advanceTimersByTimeAsync(1000);
  expect(measured((await read).rx)).toHaveLength(5);
  await vi.advanceTimersByTimeAsync(29_000);
  const closing = own.close();
  await vi.advanceTimersByTimeAsync(2000);
  await closing;
  expect(measured((await keeper().read("a", "hour")).rx)).toHaveLength(10);
});

it("leaves no file of an instance that is removed while it is written", async () => {
  const { keeper, kept, slowDown } = setUp();
  const own = keeper();
  own.begin("a", () => seen);
  await vi.advanceTimersByTimeAsync(30_000);
  slowDown(1000);
  void own.end("a");
  const removing = own.remove("a");
  await vi.advanceTimersByTimeAsync(2000);
  await removing;
  expect([...kept.keys()]).toEqual([]);
});

it("closes when what has ended is on disk too", async () => {
  const { keeper, kept, slowDown } = setUp();
  const own = keeper();
  own.begin("a", () => seen);
  await vi.advanceTimersByTimeAsync(30_000);
  slowDown(1000);
  void own.end("a");
  const closing = own.close().then(() => kept.has("a"));
  await vi.advanceTimersByTimeAsync(1000);
  expect(await closing).toBe(true);
});
