import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sampleState } from "../test/support/sample-state.ts";
import { storeErrorOf } from "../test/support/store-error.ts";
import type { StateSnapshot } from "./state-store.ts";
import { StoreError } from "./store-error.ts";
import { WriteQueue } from "./write-queue.ts";

interface Write {
  alias: string;
  demanded: boolean;
  finish: () => void;
  fail: (error: Error) => void;
}

const state =
  (alias: string): StateSnapshot =>
  () => ({ ...sampleState(0, 0), alias });
/** Moves the clock and lets everything happen that is then due; the queue waits for one immediate. */
const advance = async (ms: number) => {
  await vi.advanceTimersByTimeAsync(ms);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const settle = () => advance(0);

describe("WriteQueue", () => {
  let writes: Write[];
  let queue: WriteQueue;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    writes = [];
    queue = new WriteQueue({
      counterIntervalMs: 1000,
      maxRetryMs: 5000,
      write: (snapshot, demanded) =>
        new Promise((resolve, reject) => {
          writes.push({ alias: snapshot().alias, demanded, finish: resolve, fail: reject });
        }),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("makes one write of the changes of one moment, and one of those during it", async () => {
    const done: string[] = [];
    const save = (alias: string) => queue.save(state(alias)).then(() => done.push(alias));
    const early = [save("1"), save("2"), save("3")];
    await settle();
    expect(writes.map(({ alias }) => alias)).toEqual(["3"]);
    const late = [save("4"), save("5")];
    await settle();
    expect(writes).toHaveLength(1);
    expect(done).toEqual([]);
    writes[0]?.finish();
    await Promise.all(early);
    expect(done).toEqual(["1", "2", "3"]);
    await settle();
    expect(writes.map(({ alias }) => alias)).toEqual(["3", "5"]);
    writes[1]?.finish();
    await Promise.all(late);
    expect(writes).toHaveLength(2);
  });

  test("takes the snapshot when the write starts", async () => {
    let alias = "before";
    const saved = queue.save(() => ({ ...sampleState(0, 0), alias }));
    alias = "after";
    await settle();
    expect(writes[0]?.alias).toBe("after");
    writes[0]?.finish();
    await saved;
  });

  test("writes counters once an interval, the first at once, and tells that nobody waits", async () => {
    queue.saveSoon(state("1"));
    await settle();
    expect(writes.map(({ alias, demanded }) => [alias, demanded])).toEqual([["1", false]]);
    writes[0]?.finish();
    await settle();
    queue.saveSoon(state("2"));
    queue.saveSoon(state("3"));
    await advance(999);
    expect(writes).toHaveLength(1);
    await advance(1);
    expect(writes.map(({ alias }) => alias)).toEqual(["1", "3"]);
    writes[1]?.finish();
    await advance(10_000);
    expect(writes).toHaveLength(2);
  });

  test("writes counters that came during a write", async () => {
    const saved = queue.save(state("1"));
    await settle();
    queue.saveSoon(state("2"));
    writes[0]?.finish();
    await saved;
    await advance(1000);
    expect(writes.map(({ alias }) => alias)).toEqual(["1", "2"]);
  });

  test("does not write counters that a save has already written", async () => {
    queue.saveSoon(state("1"));
    await settle();
    writes[0]?.finish();
    await settle();
    queue.saveSoon(state("2"));
    const saved = queue.save(state("3"));
    await settle();
    writes[1]?.finish();
    await saved;
    await advance(5000);
    expect(writes.map(({ alias }) => alias)).toEqual(["1", "3"]);
  });

  test("rejects those who waited for a failed write, and only those", async () => {
    const cause = Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    const first = storeErrorOf(() => queue.save(state("1")));
    await settle();
    const second = queue.save(state("2"));
    writes[0]?.fail(cause);
    expect(await first).toMatchObject({ code: "WRITE_FAILED", cause });
    expect(queue.failure?.code).toBe("WRITE_FAILED");
    await settle();
    writes[1]?.finish();
    await second;
    expect(queue.failure).toBeUndefined();
  });

  test("tries again by itself, ever more rarely, until a write succeeds", async () => {
    const failed = storeErrorOf(() => queue.save(state("1")));
    await settle();
    writes[0]?.fail(new Error("full"));
    await failed;
    for (const [attempt, pause] of [2000, 4000, 5000, 5000].entries()) {
      await advance(pause - 1);
      expect(writes).toHaveLength(attempt + 1);
      await advance(1);
      expect(writes).toHaveLength(attempt + 2);
      writes[attempt + 1]?.fail(new Error("full"));
      await settle();
    }
    await advance(5000);
    writes[5]?.finish();
    await advance(60_000);
    expect(writes.map(({ alias }) => alias)).toEqual(["1", "1", "1", "1", "1", "1"]);
    expect(queue.failure).toBeUndefined();
  });

  test("writes what is left when it is closed, and takes nothing more", async () => {
    const saved = queue.save(state("1"));
    await settle();
    queue.saveSoon(state("2"));
    const closed = queue.close();
    expect(queue.close()).toBe(closed);
    expect((await storeErrorOf(() => queue.save(state("3")))).code).toBe("CLOSED");
    queue.saveSoon(state("3"));
    writes[0]?.finish();
    await saved;
    await settle();
    writes[1]?.finish();
    await closed;
    await advance(60_000);
    expect(writes.map(({ alias }) => alias)).toEqual(["1", "2"]);
  });

  test("keeps its promise to those who wait when it is closed", async () => {
    const saved = queue.save(state("1"));
    const closed = queue.close();
    await settle();
    writes[0]?.finish();
    await Promise.all([saved, closed]);
    expect(writes).toHaveLength(1);
  });

  test("says so if the last write fails", async () => {
    queue.saveSoon(state("1"));
    const closed = storeErrorOf(() => queue.close());
    await settle();
    writes[0]?.fail(new Error("full"));
    expect((await closed).code).toBe("WRITE_FAILED");
  });

  test("given up, rejects those who wait, lets the write under way end and starts no other", async () => {
    const underWay = queue.save(state("1"));
    await settle();
    const waiting = storeErrorOf(() => queue.save(state("2")));
    const reason = new StoreError("CLOSED", "enough");
    const destroyed = queue.destroy(reason);
    expect(await waiting).toBe(reason);
    writes[0]?.finish();
    await Promise.all([underWay, destroyed]);
    await advance(60_000);
    expect(writes).toHaveLength(1);
  });

  test("keeps other tasks and writes apart", async () => {
    const order: string[] = [];
    const saved = queue.save(state("1")).then(() => order.push("saved"));
    await settle();
    const task = queue.exclusively(async () => {
      order.push("task");
    });
    const failing = queue.exclusively(() => Promise.reject(new Error("task failed")));
    const outcome = expect(failing).rejects.toThrow("task failed");
    await settle();
    expect(order).toEqual([]);
    writes[0]?.finish();
    await Promise.all([saved, task, outcome]);
    expect(order).toEqual(["saved", "task"]);
  });
});
