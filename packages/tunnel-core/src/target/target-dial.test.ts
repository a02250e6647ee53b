import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { contextFor } from "../../test/support/memory-context.ts";
import type { NameCache } from "../names/name-cache.ts";
import { TargetDialer } from "./target-dialer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A dial of two targets whose look-ups answer when the test says so. */
function setUp() {
  const limits = { tcpDialTimeoutMs: 100 };
  const context = contextFor("client://127.0.0.1:1/a.test:1,b.test:1?mode=1", { limits });
  const fail = new Map<string, (error: Error) => void>();
  const resolve: NameCache["resolve"] = (host) =>
    new Promise((_resolve, reject) => {
      fail.set(host, reject);
    });
  const names = { resolve, failed: () => {} } as unknown as NameCache;
  const onNoTarget = vi.fn();
  new TargetDialer({ ...context, names }).dial({ onTarget: () => {}, onNoTarget });
  const lookupFails = async (host: string): Promise<void> => {
    fail.get(host)?.(new Error(`no ${host}`));
    await vi.advanceTimersByTimeAsync(0);
  };
  return { onNoTarget, lookupFails, lookups: () => [...fail.keys()] };
}

test("a look-up that answers after its time is not taken for the next one", async () => {
  const { onNoTarget, lookupFails, lookups } = setUp();
  expect(lookups()).toEqual(["a.test"]);
  await vi.advanceTimersByTimeAsync(100);
  expect(lookups()).toEqual(["a.test", "b.test"]);
  await lookupFails("a.test");
  expect(onNoTarget).not.toHaveBeenCalled();
  await lookupFails("b.test");
  expect(onNoTarget).toHaveBeenCalledOnce();
  expect(onNoTarget.mock.lastCall?.[0]).toMatchObject({
    code: "TARGET_UNREACHABLE",
    message: expect.stringContaining("no b.test"),
  });
});

test("the next look-up keeps its own time limit then", async () => {
  const { onNoTarget, lookupFails } = setUp();
  await vi.advanceTimersByTimeAsync(100);
  await lookupFails("a.test");
  await vi.advanceTimersByTimeAsync(99);
  expect(onNoTarget).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(onNoTarget.mock.lastCall?.[0]).toMatchObject({
    message: expect.stringContaining("no answer to a look-up within 100 ms"),
  });
});
