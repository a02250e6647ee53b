import { COUNTER_NAMES, countersOf, NO_TOTALS, totalsOf } from "@nodepass/model";
import { listWarnings, parse } from "@nodepass/url-config";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeMaster, fakeMaster } from "../test/support/fake-master.ts";
import { createGate } from "../test/support/gate.ts";
import type { InstanceManagerOptions } from "./manager-options.ts";
import { createMasterState } from "./master-identity.ts";

const URL = "client://127.0.0.1:1001/127.0.0.1:2?mode=1";
const SERVER = "server://127.0.0.1:1002/127.0.0.1:2?mode=1";

/** All that waits for nothing but other promises. */
const settle = () => vi.advanceTimersByTimeAsync(0);

/** Waits for an operation while the clock runs. */
async function through<T>(operation: Promise<T>): Promise<T> {
  let done = false;
  const watched = operation.finally(() => {
    done = true;
  });
  watched.catch(() => undefined);
  for (let turn = 0; turn < 2000 && !done; turn++) await vi.advanceTimersByTimeAsync(10);
  return watched;
}

beforeEach(() => {
  vi.useFakeTimers();
});

describe("instances", () => {
  let master: FakeMaster;
  const masters: FakeMaster[] = [];

  function setUp(
    options?: Partial<InstanceManagerOptions>,
    state = createMasterState(),
  ): FakeMaster {
    master = fakeMaster(options, state);
    masters.push(master);
    return master;
  }

  beforeEach(() => {
    setUp();
  });

  afterEach(async () => {
    for (const { manager } of masters.splice(0)) manager.destroy();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  describe("create", () => {
    it("saves, starts and announces before it resolves", async () => {
      const { manager, store, tunnels } = master;
      const url = `${SERVER}&unknown=1&log=`;
      const instance = await through(manager.create({ url, alias: "web" }));
      expect(instance).toMatchObject({ alias: "web", type: "server", status: "running", url });
      expect(instance).toMatchObject({ restart: true, mode: 1, tcprx: 0 });
      expect(instance.meta).toEqual({ peer: { sid: "", type: "", alias: "" }, tags: {} });
      expect(instance.id).toMatch(/^[0-9a-f]{8}$/);
      expect(instance.config).toContain("log=info&");
      expect(store.saved?.instances).toMatchObject([
        { id: instance.id, url, restart: true, running: true },
      ]);
      expect(tunnels.opened).toHaveLength(1);
      expect(master.told()).toEqual([
        "create running",
        "log warn part of the URL overlooked",
        "log warn part of the URL overlooked",
      ]);
      const { warnings, ...listed } = instance;
      expect(warnings).toEqual([
        expect.stringContaining("no parameter"),
        expect.stringContaining("log is empty"),
      ]);
      expect(await manager.list()).toEqual([listed]);
      expect(await manager.get(instance.id)).toBe(await manager.get(instance.id));
    });

    it("tells what of a URL has no effect, as a check of the URL does", async () => {
      const url = `${SERVER}&proxy=1`;
      const { warnings } = await through(master.manager.create({ url }));
      expect(warnings).toEqual(["proxy=1 has no effect: with mode=1 the client dials the targets"]);
      expect(listWarnings(parse(url))).toEqual(expect.arrayContaining([...warnings]));
      expect(master.told().at(-1)).toBe("log warn part of the URL without effect");
    });

    it("says once what it overlooks, not again with the next URL", async () => {
      const { manager } = master;
      const told = (): number => master.told().filter((line) => line.includes("URL")).length;
      const { id } = await through(manager.create({ url: `${SERVER}&rat=1&proxy=1` }));
      expect(told()).toBe(2);
      const url = `${SERVER}&rat=1&proxy=1&slot=7`;
      expect((await through(manager.replaceUrl(id, url))).warnings).toHaveLength(2);
      expect(told()).toBe(2);
      await through(manager.replaceUrl(id, `${url}&dial=::1`));
      expect(told()).toBe(3);
    });

    it("is refused with all that is wrong and without the key", async () => {
      const error: unknown = await master.manager
        .create({ url: "client://hunter2@host/target?type=9" })
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "INVALID_URL" });
      expect(String(error)).toMatch(/tunnel address.*target address/);
      expect(String(error)).not.toContain("hunter2");
      expect(await master.manager.list()).toEqual([]);
    });

    it("hands the master's own log, and for servers its TLS, down", async () => {
      const { manager } = setUp({
        masterDefaults: { log: "warn", tls: 2, crt: "/c.pem", keyFile: "/k.pem" },
      });
      const server = await through(manager.create({ url: SERVER }));
      const client = await through(manager.create({ url: URL }));
      expect(server.url).toBe(SERVER);
      expect(server.config).toMatch(/crt=[^&]*c\.pem.*key=[^&]*k\.pem.*log=warn.*tls=2/);
      expect(client.config).toContain("log=warn");
      expect(client.config).not.toContain("tls=");
    });

    it("leaves nothing behind if it cannot be saved", async () => {
      const { manager, store, tunnels } = master;
      store.failure = new Error("disk full at /secret");
      const failed = manager.create({ url: URL });
      await expect(failed).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await expect(failed).rejects.not.toThrow("/secret");
      expect(await manager.list()).toEqual([]);
      expect(tunnels.opened).toEqual([]);
      expect(master.events).toEqual([]);
      store.failure = undefined;
      await expect(through(manager.create({ url: URL }))).resolves.toMatchObject({ url: URL });
    });

    it("stops at the limit, requests of the same moment included", async () => {
      const { manager } = setUp({ maxInstances: 2 });
      const urls = [1, 2, 3].map((port) => `client://127.0.0.1:${port}/:9?mode=1`);
      const results = await through(Promise.allSettled(urls.map((url) => manager.create({ url }))));
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
      expect(results[2]).toMatchObject({ reason: { code: "LIMIT_REACHED" } });
    });

    it("shows what cannot start as error, and tries again after 1 s, 2 s, 4 s … until it runs", async () => {
      const { manager, tunnels } = master;
      tunnels.failures = Array.from({ length: 3 }, () => new Error("address in use"));
      const { id, status } = await through(manager.create({ url: URL }));
      expect(status).toBe("error");
      expect(manager.details(id)).toMatchObject({ reason: "address in use", failedStarts: 1 });
      for (const waitMs of [1000, 2000, 4000]) {
        await vi.advanceTimersByTimeAsync(waitMs - 20);
        expect(tunnels.opened).toHaveLength(0);
        await vi.advanceTimersByTimeAsync(20);
      }
      expect((await manager.get(id))?.status).toBe("running");
      expect(manager.details(id)).toMatchObject({ reason: undefined, failedStarts: 0 });
      // The second one is periodic.
      expect(master.told().filter((text) => text.startsWith("update"))).toEqual([
        ...["update error", "update error", "update running"],
      ]);
    });
  });

  describe("status", () => {
    it("follows the tunnel", async () => {
      const { manager, tunnels, events } = master;
      const { id } = await through(manager.create({ url: URL }));
      events.length = 0;
      tunnels.last.go("error", "peer lost");
      await settle();
      expect((await manager.get(id))?.status).toBe("error");
      expect(manager.details(id)?.reason).toBe("peer lost");
      tunnels.last.go("running");
      await settle();
      expect(master.told()).toEqual(["update error", "update running"]);
      tunnels.last.go("closed", "gone");
      await settle();
      expect(await manager.get(id)).toMatchObject({ status: "error" });
      await vi.advanceTimersByTimeAsync(1000);
      expect(await manager.get(id)).toMatchObject({ status: "running" });
      expect(tunnels.opened).toHaveLength(2);
    });

    it("waits a moment for a client to connect, and calls one that still tries running", async () => {
      const { manager, tunnels } = master;
      tunnels.firstState = "starting";
      const creating = manager.create({ url: "client://10.0.0.1:1/127.0.0.1:2?mode=2" });
      await settle();
      expect(await manager.list()).toMatchObject([{ status: "running" }]);
      expect(master.events).toEqual([]);
      expect(await through(creating)).toMatchObject({ status: "running" });
      const again = manager.create({ url: "client://10.0.0.2:1/127.0.0.1:2?mode=2" });
      await settle();
      tunnels.last.go("error", "refused");
      await settle();
      expect(await again).toMatchObject({ status: "error" });
    });

    it("sends the full state every report interval of what was started, and only of that", async () => {
      const { manager, tunnels, events } = master;
      await through(manager.create({ url: URL }));
      const stopped = await through(manager.create({ url: SERVER }));
      await through(manager.update(stopped.id, { action: "stop" }));
      await vi.advanceTimersByTimeAsync(5000);
      events.length = 0;
      tunnels.opened[0]?.live && Object.assign(tunnels.opened[0].live, { tcprx: 10, ping: 3 });
      await vi.advanceTimersByTimeAsync(20_000);
      expect(master.told()).toEqual(Array(4).fill("update running"));
      expect(events.at(-1)).toMatchObject({ instance: { url: URL, tcprx: 10, ping: 3 } });
    });
  });

  describe("update", () => {
    it("changes what is named and keeps the rest", async () => {
      const { manager, store } = master;
      const { id } = await through(manager.create({ url: URL }));
      const peer = { sid: "s", type: "1", alias: "p" };
      await through(manager.update(id, { meta: { tags: { a: "b" } } }));
      const changed = await through(
        manager.update(id, { alias: "new", restart: false, meta: { peer } }),
      );
      expect(changed).toMatchObject({ alias: "new", restart: false, status: "running" });
      expect(changed.meta).toEqual({ peer, tags: { a: "b" } });
      expect(store.saved?.instances[0]).toMatchObject({ alias: "new", restart: false });
      expect(await through(manager.update(id, { meta: { tags: {} } }))).toMatchObject({
        meta: { peer, tags: {} },
      });
    });

    it("applies nothing if one field is bad or the change cannot be saved", async () => {
      const { manager, store } = master;
      const before = await through(manager.create({ url: URL }));
      const tooLong = "x".repeat(257);
      const bad = manager.update(before.id, { alias: "new", meta: { tags: { a: tooLong } } });
      await expect(bad).rejects.toMatchObject({ code: "INVALID" });
      store.failure = new Error("disk full");
      for (const action of ["stop", "restart", "reset"] as const) {
        const failed = through(manager.update(before.id, { alias: "new", action }));
        await expect(failed).rejects.toMatchObject({ code: "UNAVAILABLE" });
      }
      expect({ ...(await manager.get(before.id)), warnings: [] }).toEqual(before);
      await expect(manager.update("nobody", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    it("answers actions with the state reached", async () => {
      const { manager, tunnels, store } = master;
      const { id } = await through(manager.create({ url: URL }));
      const act = (action: "start" | "stop") => through(manager.update(id, { action }));
      expect(await act("stop")).toMatchObject({ status: "stopped", restart: true });
      expect(store.saved?.instances[0]).toMatchObject({ running: false });
      expect(await act("stop")).toMatchObject({ status: "stopped" });
      expect(await act("start")).toMatchObject({ status: "running" });
      expect(await act("start")).toMatchObject({ status: "running" });
      expect(tunnels.opened).toHaveLength(2);
      expect(master.told()).toEqual(["create running", "update stopped", "update running"]);
    });

    it("shows stopped for 300 ms in a restart, in events and to those who ask", async () => {
      const { manager } = master;
      const { id } = await through(manager.create({ url: URL }));
      const times: [string, number][] = [];
      manager.subscribe((event) => {
        if (event.type === "update") times.push([event.instance.status, Date.now()]);
      });
      const restarting = manager.update(id, { action: "restart" });
      await vi.advanceTimersByTimeAsync(299);
      expect((await manager.get(id))?.status).toBe("stopped");
      expect(await through(restarting)).toMatchObject({ status: "running" });
      const [stopped, running] = times;
      expect([stopped?.[0], running?.[0]]).toEqual(["stopped", "running"]);
      expect((running?.[1] ?? 0) - (stopped?.[1] ?? 0)).toBeGreaterThanOrEqual(300);
    });

    it("starts at once what waits for its next try, and stops it too", async () => {
      const { manager, tunnels } = master;
      tunnels.failures = [new Error("no"), new Error("no")];
      const { id } = await through(manager.create({ url: URL }));
      expect(await through(manager.update(id, { action: "start" }))).toMatchObject({
        status: "error",
      });
      await through(manager.update(id, { action: "stop" }));
      await vi.advanceTimersByTimeAsync(100_000);
      expect(tunnels.opened).toHaveLength(0);
      expect(await manager.get(id)).toMatchObject({ status: "stopped" });
    });

    it("runs operations on one instance in order, and others at once", async () => {
      const { manager, tunnels } = master;
      const one = await through(manager.create({ url: URL }));
      const gate = createGate();
      tunnels.last.closing = gate.promise;
      const two = await through(manager.create({ url: SERVER }));
      const order: string[] = [];
      const note = (text: string) => () => order.push(text);
      const operations = [
        manager.update(one.id, { action: "stop" }).then(note("one stopped")),
        manager.update(one.id, { alias: "late" }).then(note("one renamed")),
        manager.update(one.id, { action: "start" }).then(note("one started")),
        manager.update(two.id, { action: "stop" }).then(note("two stopped")),
      ];
      await settle();
      expect(order).toEqual(["two stopped"]);
      gate.open();
      await through(Promise.all(operations));
      expect(order).toEqual(["two stopped", "one stopped", "one renamed", "one started"]);
    });

    it("ends the wait for a worker that does not close a tunnel", async () => {
      const { manager, tunnels } = master;
      const { id } = await through(manager.create({ url: URL }));
      const other = await through(manager.create({ url: SERVER }));
      const [hanging] = tunnels.opened;
      if (hanging !== undefined) hanging.closing = new Promise(() => undefined);
      expect(await through(manager.update(id, { action: "stop" }))).toMatchObject({
        status: "stopped",
      });
      expect(manager.metrics().workerRestarts).toBe(1);
      await vi.advanceTimersByTimeAsync(1000);
      expect(await manager.get(other.id)).toMatchObject({ status: "running" });
    });
  });

  describe("counters", () => {
    it("add up over stops, restarts and masters, the last bytes included", async () => {
      const { manager, tunnels, store } = master;
      const { id } = await through(manager.create({ url: URL }));
      Object.assign(tunnels.last.live, { tcprx: 5, udptx: 1, tcps: 2 });
      await vi.advanceTimersByTimeAsync(250);
      expect(await manager.get(id)).toMatchObject({ tcprx: 5, udptx: 1, tcps: 2 });
      store.flush();
      expect(store.saved?.instances[0]).toMatchObject({ tcprx: 5, udptx: 1 });
      tunnels.last.live.tcprx = 7;
      await through(manager.update(id, { action: "stop" }));
      expect(await manager.get(id)).toMatchObject({ tcprx: 7, udptx: 1, tcps: 0 });
      await through(manager.update(id, { action: "start" }));
      tunnels.last.live.tcprx = 100;
      await through(manager.close());
      expect(store.saved?.instances[0]).toMatchObject({ tcprx: 107, udptx: 1, running: true });
      const next = setUp({}, store.saved);
      expect(await next.manager.get(id)).toMatchObject({ tcprx: 107, status: "stopped" });
      await through(next.manager.start());
      next.tunnels.last.live.tcprx = 3;
      await vi.advanceTimersByTimeAsync(250);
      expect(await next.manager.get(id)).toMatchObject({ tcprx: 110, status: "running" });
    });

    it("are zero after a reset, of all that was carried until then", async () => {
      const { manager, tunnels, store } = master;
      const { id } = await through(manager.create({ url: URL }));
      tunnels.last.live.tcprx = 1000;
      const reset = await through(manager.update(id, { action: "reset" }));
      expect(reset).toMatchObject({ tcprx: 0, status: "running" });
      expect(store.saved?.instances[0]).toMatchObject({ tcprx: 0 });
      tunnels.last.live.tcprx = 1001;
      await vi.advanceTimersByTimeAsync(250);
      expect(await manager.get(id)).toMatchObject({ tcprx: 1 });
      expect(tunnels.opened).toHaveLength(1);
    });
  });

  describe("conflicts", () => {
    it("are refused for create, start and a new URL, while the address is held", async () => {
      const { manager } = master;
      const holder = await through(manager.create({ url: URL }));
      const wanting = "server://0.0.0.0:1001/127.0.0.1:9?mode=2";
      const conflict = { code: "CONFLICT", message: expect.stringContaining(holder.id) };
      await expect(manager.create({ url: wanting })).rejects.toMatchObject(conflict);
      await through(manager.update(holder.id, { action: "stop" }));
      const other = await through(manager.create({ url: wanting }));
      const start = manager.update(holder.id, { action: "start", alias: "no" });
      await expect(start).rejects.toMatchObject({ code: "CONFLICT" });
      const restart = manager.update(holder.id, { action: "restart" });
      await expect(restart).rejects.toMatchObject({ code: "CONFLICT" });
      expect(await manager.get(holder.id)).toMatchObject({ alias: "", status: "stopped" });
      const replaced = manager.replaceUrl(holder.id, `${URL}&slot=1`);
      await expect(replaced).rejects.toMatchObject({ code: "CONFLICT" });
      await through(manager.remove(other.id));
      expect(await through(manager.update(holder.id, { action: "start" }))).toMatchObject({
        status: "running",
      });
    });

    it("count requests of the same moment, but not those that failed", async () => {
      const { manager, tunnels } = master;
      const results = await through(
        Promise.allSettled([manager.create({ url: URL }), manager.create({ url: URL })]),
      );
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
      tunnels.failures = [new Error("address in use")];
      const failing = "client://127.0.0.1:1500/127.0.0.1:2?mode=1";
      expect(await through(manager.create({ url: failing }))).toMatchObject({ status: "error" });
      await through(manager.create({ url: failing }));
    });

    it("are kept over the pause of a restart and over a change of URL", async () => {
      const { manager, tunnels } = master;
      const { id } = await through(manager.create({ url: URL }));
      const restarting = manager.update(id, { action: "restart" });
      await vi.advanceTimersByTimeAsync(150);
      expect(await manager.get(id)).toMatchObject({ status: "stopped" });
      const wanting = "server://0.0.0.0:1001/127.0.0.1:9?mode=2";
      const conflict = { code: "CONFLICT", message: expect.stringContaining(id) };
      await expect(manager.create({ url: wanting })).rejects.toMatchObject(conflict);
      expect(await through(restarting)).toMatchObject({ status: "running" });

      const gate = createGate();
      tunnels.last.closing = gate.promise;
      const replacing = manager.replaceUrl(id, SERVER);
      await settle();
      await expect(manager.create({ url: SERVER })).rejects.toMatchObject(conflict);
      gate.open();
      expect(await through(replacing)).toMatchObject({ status: "running", url: SERVER });
      // What the old URL bound is free, and after a stop so is the rest.
      await through(manager.create({ url: URL }));
      await through(manager.update(id, { action: "restart" }));
      await through(manager.update(id, { action: "stop" }));
      await through(manager.create({ url: `${SERVER}&slot=1` }));
    });

    it("know what a tunnel has bound without being told to", async () => {
      const { manager, tunnels } = master;
      await through(manager.create({ url: "server://:1002/127.0.0.1:3000?mode=0" }));
      tunnels.last.entryAddress = { host: "127.0.0.1", port: 3000 };
      tunnels.last.go("running");
      await settle();
      const wanting = manager.create({ url: "client://:3000/127.0.0.1:2?mode=1" });
      await expect(wanting).rejects.toMatchObject({ code: "CONFLICT" });
    });

    it("never stand in the way of an instance's own restart or new URL", async () => {
      const { manager } = master;
      const { id } = await through(manager.create({ url: URL }));
      expect(await through(manager.update(id, { action: "restart" }))).toMatchObject({
        status: "running",
      });
      expect(await through(manager.replaceUrl(id, `${URL}&slot=1`))).toMatchObject({
        status: "running",
      });
    });
  });

  describe("replaceUrl", () => {
    it("opens another tunnel in its place, and keeps the counters", async () => {
      const { manager, tunnels, store } = master;
      const { id } = await through(manager.create({ url: URL }));
      const [first] = tunnels.opened;
      tunnels.last.live.tcprx = 9;
      const replaced = await through(manager.replaceUrl(id, SERVER));
      expect(replaced).toMatchObject({ id, url: SERVER, type: "server", tcprx: 9 });
      expect(replaced.status).toBe("running");
      expect(first?.state).toBe("closed");
      expect(store.saved?.instances[0]).toMatchObject({ url: SERVER, type: "server" });
      await expect(manager.replaceUrl(id, SERVER)).rejects.toMatchObject({ code: "SAME_URL" });
      const bad = manager.replaceUrl(id, "server://");
      await expect(bad).rejects.toMatchObject({ code: "INVALID_URL" });
      // The other tunnel's link, then the URL; never a stop.
      expect(master.told()).toEqual(["create running", "update running", "update running"]);
      tunnels.last.live.tcprx = 4;
      await vi.advanceTimersByTimeAsync(1000);
      expect(await manager.get(id)).toMatchObject({ tcprx: 13 });
    });

    it("stops and starts it if nothing can take its place", async () => {
      const { manager, tunnels } = master;
      const { id } = await through(manager.create({ url: URL }));
      const [first] = tunnels.opened;
      tunnels.failures = [new Error("address in use")];
      const replaced = await through(manager.replaceUrl(id, SERVER));
      expect(replaced).toMatchObject({ url: SERVER, status: "running" });
      expect(first?.state).toBe("closed");
      expect(tunnels.opened).toHaveLength(2);
      expect(master.told()).toEqual([
        "create running",
        "log warn tunnel could not be replaced while it runs",
        "update stopped",
        "update running",
      ]);
    });

    it("counts what drains, and lets it go with the instance", async () => {
      const { manager, tunnels } = master;
      const { id } = await through(manager.create({ url: URL }));
      const first = tunnels.last;
      const gate = createGate();
      first.closing = gate.promise;
      Object.assign(first.live, { tcps: 2, tcprx: 5, ping: 7, pool: 3 });
      await through(manager.replaceUrl(id, `${URL}&noudp=1`));
      Object.assign(tunnels.last.live, { tcps: 1, ping: 1 });
      first.live.tcprx = 6;
      await vi.advanceTimersByTimeAsync(1000);
      expect(await manager.get(id)).toMatchObject({ tcps: 3, tcprx: 6, ping: 1, pool: 0 });
      const stopping = manager.update(id, { action: "stop" });
      await vi.advanceTimersByTimeAsync(10);
      expect(await manager.get(id)).toMatchObject({ status: "running" });
      first.live.tcprx = 8;
      gate.open();
      expect(await through(stopping)).toMatchObject({ status: "stopped", tcprx: 8, tcps: 0 });
    });

    it("leaves the tunnel alone if it cannot be saved", async () => {
      const { manager, tunnels, store } = master;
      const before = await through(manager.create({ url: URL }));
      store.failure = new Error("disk full");
      const failed = manager.replaceUrl(before.id, SERVER);
      await expect(failed).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect({ ...(await manager.get(before.id)), warnings: [] }).toEqual(before);
      expect(tunnels.last.state).toBe("running");
      store.failure = undefined;
      await through(manager.create({ url: SERVER }));
    });
  });

  describe("remove", () => {
    it("resolves when the tunnel is closed and the instance gone from disk", async () => {
      const { manager, tunnels, store } = master;
      const { id } = await through(manager.create({ url: URL }));
      const gate = createGate();
      tunnels.last.closing = gate.promise;
      const removing = manager.remove(id);
      const late = manager.update(id, { alias: "late" }).catch((error: unknown) => error);
      await settle();
      expect(await manager.get(id)).toBeDefined();
      gate.open();
      await through(removing);
      expect(await late).toMatchObject({ code: "NOT_FOUND" });
      expect(tunnels.last.state).toBe("closed");
      expect(store.saved?.instances).toEqual([]);
      expect(await manager.list()).toEqual([]);
      expect(master.told()).toEqual(["create running", "delete stopped"]);
      await expect(manager.remove(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    it("leaves the tunnel alone if it cannot be saved", async () => {
      const { manager, store, tunnels } = master;
      const { id } = await through(manager.create({ url: URL }));
      store.failure = new Error("disk full");
      await expect(through(manager.remove(id))).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(await manager.get(id)).toMatchObject({ status: "running" });
      expect(tunnels.last.state).toBe("running");
      tunnels.last.go("error", "peer lost");
      await settle();
      expect(master.told()).toEqual(["create running", "update error"]);
      store.failure = undefined;
      await through(manager.remove(id));
    });
  });

  describe("what is told beside the status", () => {
    it("has every counter of the table from the tunnel's own, totals also on disk", async () => {
      const { manager, tunnels, store } = master;
      const { id } = await through(manager.create({ url: URL }));
      const live = countersOf((name) => 10 + COUNTER_NAMES.indexOf(name));
      Object.assign(tunnels.last.live, live);
      await vi.advanceTimersByTimeAsync(250);
      expect(await manager.get(id)).toMatchObject(live);
      store.flush();
      expect(store.saved?.instances[0]).toMatchObject(totalsOf((name) => live[name]));
      await through(manager.update(id, { action: "reset" }));
      expect(await manager.get(id)).toMatchObject(NO_TOTALS);
    });

    it("says why it is in error, since when, and when it is tried again", async () => {
      const { manager, tunnels } = master;
      tunnels.failures = [new Error("address in use")];
      const before = Date.now();
      const created = await through(manager.create({ url: URL }));
      expect(created).toMatchObject({ status: "error", reason: "address in use", link: "down" });
      const since = Date.parse(created.since);
      expect(since).toBeGreaterThanOrEqual(before);
      expect(Date.parse(created.nextRetry ?? "")).toBe(since + 1000);
      await vi.advanceTimersByTimeAsync(1000);
      const { status, reason, nextRetry } = (await manager.get(created.id)) ?? created;
      expect({ status, reason, nextRetry }).toEqual({
        status: "running",
        reason: "",
        nextRetry: null,
      });
    });

    it("tells a server without its client from one that has it", async () => {
      const { manager, tunnels } = master;
      const { id, link } = await through(manager.create({ url: SERVER }));
      expect(link).toBe("down");
      tunnels.last.setPeer(true);
      await settle();
      expect(await manager.get(id)).toMatchObject({ status: "running", link: "up" });
      tunnels.last.go("error", "session ended");
      await settle();
      expect(await manager.get(id)).toMatchObject({ status: "error", link: "down" });
      const forwarder = await through(manager.create({ url: URL }));
      expect(forwarder.link).toBe("none");
    });

    it("keeps the last lines, also of one that never ran", async () => {
      const { manager, tunnels } = master;
      tunnels.failures = [new Error("no")];
      const { id } = await through(manager.create({ url: `${URL}&x=1` }));
      const { lines, total } = await manager.logs(id, {});
      expect(lines.map(({ line }) => line)).toEqual([
        "warn part of the URL overlooked",
        "error tunnel does not run",
      ]);
      expect(total).toBe(2);
      expect((await manager.logs(id, { tail: 1 })).lines).toMatchObject([{ level: "error" }]);
      expect((await manager.logs(id, { tail: 0 })).lines).toEqual([]);
      const at = Date.parse(lines[1]?.time ?? "");
      expect((await manager.logs(id, { since: at })).lines).toEqual([]);
      await expect(manager.logs("nobody", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
      await vi.advanceTimersByTimeAsync(1000);
      for (let index = 0; index < 150; index++) {
        tunnels.last.emit("log", { level: "warn", message: `line ${index}`, fields: {} });
        await vi.advanceTimersByTimeAsync(100);
      }
      expect((await manager.logs(id, {})).lines).toHaveLength(100);
    });

    it("takes over another URL without a restart where it can, and says what of it", async () => {
      const { manager, tunnels } = master;
      const { id } = await through(manager.create({ url: URL }));
      const url = `${URL.replace(":2?", ":3?")}&rate=5&x=1`;
      const { changes, warnings, ...seen } = await through(manager.replaceUrl(id, url));
      expect(changes).toEqual({ inPlace: ["rate", "targets"], restarted: [] });
      expect(warnings).toEqual([expect.stringContaining("no parameter")]);
      expect(seen).toMatchObject({ url, status: "running" });
      expect(tunnels.opened).toHaveLength(1);
      expect(tunnels.last.updates).toEqual([
        {
          rateBytesPerSecond: 625_000,
          targets: [{ host: expect.any(String), port: 3 }],
        },
      ]);
      // What it is started with, should it end by itself.
      tunnels.last.go("closed", "gone");
      await vi.advanceTimersByTimeAsync(1000);
      expect(tunnels.opened).toHaveLength(2);
      expect(tunnels.last.settings).toMatchObject({ rateBytesPerSecond: 625_000 });
    });

    it("restarts for what cannot change while connections go on", async () => {
      const { manager, tunnels } = master;
      const { id } = await through(manager.create({ url: URL }));
      const { changes } = await through(manager.replaceUrl(id, `${URL}&proxy=1&notcp=1`));
      expect(changes).toEqual({ inPlace: [], restarted: ["notcp", "proxy"] });
      expect(tunnels.opened).toHaveLength(2);
      expect(tunnels.opened[0]?.updates).toEqual([]);
      // Differs as text only: nothing to do.
      const same = await through(manager.replaceUrl(id, `${URL}&notcp=1&proxy=1`));
      expect(same.changes).toEqual({ inPlace: [], restarted: [] });
      expect(tunnels.opened).toHaveLength(2);
    });
  });

  describe("start and close", () => {
    it("start what is to start with the master, and no other", async () => {
      const { manager, store } = master;
      await through(manager.create({ url: URL }));
      const left = await through(manager.create({ url: SERVER }));
      await through(manager.update(left.id, { restart: false }));
      await through(manager.close());
      const next = setUp({}, store.saved);
      await through(next.manager.start());
      expect((await next.manager.list()).map(({ status }) => status)).toEqual([
        "running",
        "stopped",
      ]);
      expect(next.manager.metrics()).toEqual({
        ...{ running: 1, error: 0, stopped: 1, workers: 0, workersAway: 0, workerRestarts: 0 },
      });
    });

    it("tell shutdown once, close every tunnel and take nothing more", async () => {
      const { manager, tunnels } = master;
      const { id } = await through(manager.create({ url: URL }));
      await through(Promise.all([manager.close({ timeoutMs: 3000 }), manager.close()]));
      expect(tunnels.last.closeTimeoutMs).toBeLessThan(3000);
      expect(tunnels.last.state).toBe("closed");
      expect(master.told().filter((text) => text === "shutdown")).toHaveLength(1);
      const refused = { code: "UNAVAILABLE" };
      await expect(manager.create({ url: SERVER })).rejects.toMatchObject(refused);
      await expect(manager.update(id, { alias: "no" })).rejects.toMatchObject(refused);
      await expect(manager.identity.renewKey()).rejects.toMatchObject(refused);
    });

    it("end in time even if a tunnel does not", async () => {
      const { manager, tunnels } = master;
      await through(manager.create({ url: URL }));
      tunnels.last.closing = new Promise(() => undefined);
      const startedAt = Date.now();
      await through(manager.close({ timeoutMs: 2000 }));
      expect(Date.now() - startedAt).toBeLessThan(2100);
    });

    it("show a saved URL that nobody can read as an error, and start the others", async () => {
      const { manager, store } = master;
      const { id } = await through(manager.create({ url: URL }));
      await through(manager.create({ url: SERVER }));
      await through(manager.close());
      const state = structuredClone(store.saved ?? createMasterState());
      const [first] = state.instances;
      if (first !== undefined) first.url = "client://k@nonsense";
      const next = setUp({}, state);
      await through(next.manager.start());
      expect((await next.manager.list()).map(({ status }) => status)).toEqual(["error", "running"]);
      expect(next.manager.details(id)?.reason).toContain("target address");
      expect(await through(next.manager.replaceUrl(id, URL))).toMatchObject({ status: "running" });
    });
  });

  describe("log", () => {
    it("sends the lines that the URL's level lets through, each to the logger too", async () => {
      const lines: unknown[] = [];
      const note = (fields: object, message: string) => lines.push([fields, message]);
      const logger = { debug: note, info: note, warn: note, error: note };
      const { manager, tunnels } = setUp({ logger });
      const quiet = await through(manager.create({ url: `${URL}&log=none&unknown=1` }));
      tunnels.last.emit("log", { level: "error", message: "quiet", fields: {} });
      const loud = await through(manager.create({ url: `${SERVER}&log=debug` }));
      tunnels.last.emit("log", { level: "debug", message: "loud", fields: { a: 1 } });
      tunnels.last.emit("checkpoint", { ...tunnels.last.counters(), mode: 1 });
      await settle();
      expect(master.told()).toEqual(["create running", "create running", "log debug loud"]);
      expect(lines).toEqual([[{ instance: loud.id, a: 1 }, "loud"]]);
      expect(quiet.status).toBe("running");
    });
  });

  describe("the key", () => {
    it("is compared, renewed and saved; the old one is refused from then on", async () => {
      const { manager, store } = master;
      const old = manager.identity.apiKey;
      expect(old).toMatch(/^[0-9a-f]{32}$/);
      expect(manager.identity.verifyKey(old)).toBe("full");
      for (const wrong of ["", "x", `${old}0`, old.slice(1)]) {
        expect(manager.identity.verifyKey(wrong)).toBeUndefined();
      }
      const key = await manager.identity.renewKey();
      expect(store.saved?.apiKey).toBe(key);
      expect([
        manager.identity.apiKey,
        manager.identity.verifyKey(key),
        manager.identity.verifyKey(old),
      ]).toEqual([key, "full", undefined]);
      store.failure = new Error("disk full");
      await expect(manager.identity.renewKey()).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(manager.identity.verifyKey(key)).toBe("full");
    });

    it("has one beside it that may only read, both made anew on their own", async () => {
      const { manager, store } = master;
      const { identity } = manager;
      expect(identity.readKey).toBeUndefined();
      expect(identity.verifyKey("undefined")).toBeUndefined();
      const full = identity.apiKey;
      const first = await identity.renewKey("read");
      expect([store.saved?.readKey, identity.verifyKey(first)]).toEqual([first, "read"]);
      const second = await identity.renewKey("read");
      expect([identity.verifyKey(first), identity.verifyKey(second)]).toEqual([undefined, "read"]);
      expect(identity.verifyKey(full)).toBe("full");
      store.failure = new Error("disk full");
      await expect(identity.renewKey("read")).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(identity.verifyKey(second)).toBe("read");
    });

    it("gives way to one that is given, and is not changed then", async () => {
      const { identity } = master.manager;
      const own = identity.apiKey;
      identity.useKeys({ apiKey: "given-key-0123456789", readKey: "read-key-0123456789" });
      expect(identity.apiKey).toBe("given-key-0123456789");
      expect(identity.verifyKey(own)).toBeUndefined();
      expect(identity.verifyKey("given-key-0123456789")).toBe("full");
      expect(identity.verifyKey("read-key-0123456789")).toBe("read");
      for (const access of ["full", "read"] as const) {
        await expect(identity.renewKey(access)).rejects.toMatchObject({ code: "FORBIDDEN" });
      }
    });

    it("stands beside the master's id and name", async () => {
      const { manager, store } = master;
      expect(manager.identity.masterId).toMatch(/^[0-9a-f]{16}$/);
      await manager.identity.setAlias("here");
      expect([manager.identity.alias, store.saved?.alias]).toEqual(["here", "here"]);
      await expect(manager.identity.setAlias("x".repeat(257))).rejects.toMatchObject({
        code: "INVALID",
      });
    });
  });
});

describe("options", () => {
  it.each([
    { workers: -1 },
    { workers: 1.5 },
    { maxInstances: 0 },
    { counterIntervalMs: 9 },
    { restartPauseMs: Number.NaN },
  ])("%o are refused", (options) => {
    expect(() => fakeMaster(options)).toThrow(expect.objectContaining({ code: "INVALID_OPTIONS" }));
  });
});
