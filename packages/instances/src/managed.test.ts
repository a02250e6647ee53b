import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeMaster, fakeMaster } from "../test/support/fake-master.ts";

const URL = "client://127.0.0.1:1001/127.0.0.1:2?mode=1";
const OTHER = "client://127.0.0.1:1003/127.0.0.1:2?mode=1";
const BY = { byManager: true } as const;

async function through<T>(operation: Promise<T>): Promise<T> {
  let done = false;
  const watched = operation.finally(() => {
    done = true;
  });
  watched.catch(() => undefined);
  for (let turn = 0; turn < 2000 && !done; turn++) await vi.advanceTimersByTimeAsync(10);
  return watched;
}

describe("an instance that somebody manages", () => {
  let master: FakeMaster;
  let id: string;

  beforeEach(async () => {
    vi.useFakeTimers();
    master = fakeMaster();
    const meta = { peer: { sid: "s1", type: "", alias: "web" }, tags: { a: "b" } };
    const options = { manager: "the fleet", meta };
    ({ id } = await through(master.manager.create({ url: URL, alias: "web" }, options)));
  });

  afterEach(async () => {
    master.manager.destroy();
    await vi.advanceTimersByTimeAsync(20_000);
    vi.useRealTimers();
  });

  it("has its names from the beginning", async () => {
    expect(await master.manager.get(id)).toMatchObject({
      status: "running",
      restart: true,
      meta: { peer: { sid: "s1" }, tags: { a: "b" } },
    });
  });

  it.each([
    ["another URL", () => master.manager.replaceUrl(id, OTHER)],
    ["the end", () => master.manager.remove(id)],
    ["stop", () => master.manager.update(id, { action: "stop" })],
    ["start", () => master.manager.update(id, { action: "start" })],
    ["restart at the start", () => master.manager.update(id, { restart: false })],
    [
      "another peer",
      () => master.manager.update(id, { meta: { peer: { sid: "x", type: "", alias: "" } } }),
    ],
  ] satisfies [string, () => Promise<unknown>][])("refuses %s", async (_what, change) => {
    await expect(through<unknown>(change())).rejects.toMatchObject({
      code: "CONFLICT",
      message: "managed by the fleet; change it there or detach it",
    });
    expect(await master.manager.get(id)).toMatchObject({ status: "running", url: URL });
  });

  it("takes a name, tags, a reset, and a restart while it runs", async () => {
    const { manager } = master;
    const tags = { c: "d" };
    const peer = { sid: "s1", type: "1", alias: "named" };
    await through(manager.update(id, { alias: "mine", meta: { tags, peer } }));
    await through(manager.update(id, { action: "reset" }));
    await through(manager.update(id, { action: "restart" }));
    expect(await manager.get(id)).toMatchObject({ alias: "mine", status: "running" });
    await through(manager.update(id, { action: "stop" }, BY));
    await expect(through(manager.update(id, { action: "restart" }))).rejects.toMatchObject({
      code: "CONFLICT",
    });
    expect(await manager.get(id)).toMatchObject({ status: "stopped" });
  });

  it("obeys its manager, and everybody once it has none", async () => {
    const { manager } = master;
    await through(manager.replaceUrl(id, OTHER, BY));
    await through(manager.update(id, { action: "stop", restart: false }, BY));
    expect(await manager.get(id)).toMatchObject({ url: OTHER, status: "stopped", restart: false });
    manager.setManager(id, undefined);
    await through(manager.update(id, { action: "start" }));
    await through(manager.remove(id));
    expect(await manager.list()).toEqual([]);
  });

  it("is given another URL without being started", async () => {
    const { manager, tunnels } = master;
    await through(manager.update(id, { action: "stop" }, BY));
    const before = tunnels.opened.length;
    await through(manager.replaceUrl(id, OTHER, { ...BY, running: false }));
    expect(await manager.get(id)).toMatchObject({ url: OTHER, status: "stopped" });
    await through(manager.update(id, { action: "start" }, BY));
    await through(manager.replaceUrl(id, URL, { ...BY, running: false }));
    expect(await manager.get(id)).toMatchObject({ url: URL, status: "stopped" });
    expect(tunnels.opened.length).toBe(before + 1);
  });

  it("begins stopped where it is to, and holds no address then", async () => {
    const { manager, tunnels } = master;
    const before = tunnels.opened.length;
    const stopped = await through(manager.create({ url: URL }, { running: false }));
    expect(stopped).toMatchObject({ status: "stopped", restart: false });
    expect(tunnels.opened.length).toBe(before);
    await expect(through(manager.update(stopped.id, { action: "start" }))).rejects.toMatchObject({
      code: "CONFLICT",
    });
  });
});

describe("a check", () => {
  it("says what a URL means, or why it can't be run", async () => {
    vi.useFakeTimers();
    const { manager } = fakeMaster({ maxInstances: 1 });
    try {
      expect(manager.check(URL)).toMatchObject({ scheme: "client", mode: 1 });
      expect(() => manager.check("client://")).toThrowError(
        expect.objectContaining({ code: "INVALID_URL" }),
      );
      const { id } = await through(manager.create({ url: URL }));
      expect(manager.check(URL, id)).toMatchObject({ scheme: "client" });
      expect(() => manager.check(OTHER)).toThrowError(
        expect.objectContaining({ code: "LIMIT_REACHED" }),
      );
      expect(() => manager.check(URL, "other")).toThrowError(
        expect.objectContaining({
          code: "CONFLICT",
          message: `address 127.0.0.1:1001 is held by instance ${id}`,
        }),
      );
    } finally {
      manager.destroy();
      await vi.advanceTimersByTimeAsync(20_000);
      vi.useRealTimers();
    }
  });
});
