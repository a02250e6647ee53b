import { monotonicMs } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type FakeMaster, fakeMaster } from "../test/support/fake-master.ts";

const URL = "client://127.0.0.1:1001/127.0.0.1:2?mode=1";
let master: FakeMaster;
let id: string;

async function through<T>(operation: Promise<T>): Promise<T> {
  let done = false;
  const watched = operation.finally(() => {
    done = true;
  });
  watched.catch(() => undefined);
  for (let turn = 0; turn < 2000 && !done; turn++) await vi.advanceTimersByTimeAsync(1);
  return watched;
}
const status = async () => {
  const instance = await master.manager.get(id);
  return [instance?.status, instance?.reason];
};
const start = () => through(master.manager.update(id, { action: "start" }));

beforeEach(async () => {
  vi.useFakeTimers();
  master = fakeMaster();
  ({ id } = await through(master.manager.create({ url: URL }, { running: false })));
});

afterEach(async () => {
  master.manager.destroy();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it("stops at the end of its time, and starts again when it is given more", async () => {
  const { manager, tunnels } = master;
  manager.serveUntil(id, monotonicMs() + 5000);
  await start();
  expect(tunnels.opened[0]?.until).toBeGreaterThan(monotonicMs());
  await vi.advanceTimersByTimeAsync(3000);
  manager.serveUntil(id, monotonicMs() + 5000);
  await vi.advanceTimersByTimeAsync(3000);
  expect(await status()).toEqual(["running", ""]);
  await vi.advanceTimersByTimeAsync(2100);
  expect(await status()).toEqual(["stopped", "the time in which it may serve is over"]);
  expect(tunnels.opened[0]?.state).toBe("closed");
  // Nobody but who gives it time starts it.
  await start();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(await status()).toEqual(["stopped", "the time in which it may serve is over"]);
  expect(tunnels.opened).toHaveLength(1);
  manager.serveUntil(id, monotonicMs() + 5000);
  await start();
  expect(await status()).toEqual(["running", ""]);
  manager.serveUntil(id, undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await status()).toEqual(["running", ""]);
});

it("does not come back in another thread after the end of its time", async () => {
  const { manager, tunnels } = master;
  manager.serveUntil(id, monotonicMs() + 1500);
  await start();
  master.crash("gone");
  await vi.advanceTimersByTimeAsync(1000);
  expect(tunnels.opened).toHaveLength(2);
  expect(tunnels.opened[1]?.until).toBe(tunnels.opened[0]?.until);
  master.crash("again");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await status()).toEqual(["stopped", "the time in which it may serve is over"]);
  expect(tunnels.opened.filter(({ state }) => state !== "closed").length).toBeLessThan(3);
});
