import { once } from "node:events";
import { createServer } from "node:net";
import { readTargets } from "@nodepass/fleet-agent";
import {
  AppliedSchema,
  type PartOrder,
  type PartReport,
  PreparedSchema,
} from "@nodepass/fleet-protocol";
import { NAME_TAG, OWNER_TAG } from "@nodepass/model";
import { findNatsServer } from "test-support/nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HonestHub, order } from "./support/honest-hub.ts";
import { startMember, type TestMember, temporaryFolder } from "./support/member.ts";

const WAIT = { timeout: 20_000, interval: 20 };
const HOST = "127.44.2.1";
const single = (port: number, target = 4202) =>
  `client://${HOST}:${port}/${HOST}:${target}?mode=1&log=none`;

describe.skipIf(findNatsServer() === undefined)("what the fleet runs at a member", () => {
  const closers: (() => unknown)[] = [];
  let hub: HonestHub;
  let member: TestMember;
  let mid: string;
  let folder: string;
  let orders: PartOrder[];
  let revision: number;
  let bucket: string;

  beforeAll(async () => {
    hub = await HonestHub.start();
  });
  afterAll(() => hub.close());

  beforeEach(async () => {
    orders = [];
    revision = 0;
    bucket = "b1";
    hub.synced = () => ({ answer: "set", revision, bucket, orders, name: "" });
    folder = temporaryFolder(closers);
    await start({ token: hub.token() });
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function start(options: Parameters<typeof startMember>[1] = {}): Promise<void> {
    member = await startMember(folder, options);
    closers.push(() => member.stop());
    mid = member.mid;
    await vi.waitFor(() => expect(member.agent.status().state).toBe("synced"), WAIT);
  }

  async function restart(options: Parameters<typeof startMember>[1] = {}): Promise<void> {
    await member.stop();
    await start(options);
    await member.master.started;
  }

  const apply = async (...given: PartOrder[]): Promise<PartReport[]> =>
    (await hub.ask(mid, "apply", { orders: given }, AppliedSchema)).reports;
  const instance = async (id: string | null | undefined) => member.instances.get(id ?? "");
  const told = (sid: string) =>
    hub.reports.filter((one) => one.mid === mid && one.report.sid === sid).at(-1)?.report;

  test("an order that comes before the first set is not given up by it", async () => {
    const asked = order({ sid: "early", url: single(4371) });
    let early: Promise<{ reports: PartReport[] }> | undefined;
    hub.synced = (newcomer) => {
      early ??= hub.ask(newcomer, "apply", { orders: [asked] }, AppliedSchema);
      return { answer: "set", revision: 0, bucket, orders: [], name: "" };
    };
    folder = temporaryFolder(closers);
    await start({ token: hub.token() });
    const [first] = (await early)?.reports ?? [];
    expect(first).toMatchObject({ outcome: "applied", instance: expect.any(String) });
    const [again] = await apply(asked);
    expect(again).toMatchObject({ outcome: "applied", instance: first?.instance });
  });

  test("is told again as it was ordered: policy, epoch and what shows them, also after a restart", async () => {
    const policy = { failover: "serve", ttl: 20, failback: "healthy" } as const;
    const [proof, later] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
    const asked = order({ sid: "kept", url: single(4351) });
    // A hub of before gives none; what is ordered already gets it at the next sync.
    await apply({ ...asked, rev: 3 });
    const [now] = await apply({ ...asked, rev: 3, policy, proof, seen: later });
    expect(now).toMatchObject({ outcome: "applied", policy, proof });
    await vi.waitFor(() => expect(told("kept")).toMatchObject({ policy, proof }), WAIT);
    await apply({ ...asked, rev: 5, policy, proof: later, seen: later });
    orders = [{ ...asked, rev: 5, policy, proof: later, seen: later }];
    revision = 5;
    await restart();
    const { sync } = hub.syncs.findLast((one) => one.mid === mid) ?? {};
    expect(sync).toMatchObject({ revision: 5, bucket: "b1", seen: { revision: 5, proof: later } });
    expect(sync?.parts).toMatchObject([{ sid: "kept", epoch: 1, policy, proof: later }]);
  });

  test("is made, changed, stopped, started and given up, and each is told", async () => {
    const tags = { team: "web" };
    const [made] = await apply(order({ sid: "s1", url: single(4301), alias: "web", tags }));
    expect(made).toMatchObject({ outcome: "applied", running: true, rev: 1, epoch: 1 });
    const id = made?.instance ?? "";
    expect(await instance(id)).toMatchObject({
      alias: "web",
      status: "running",
      meta: { peer: { sid: "s1", alias: "web" }, tags },
    });
    await vi.waitFor(() => expect(told("s1")).toEqual(made), WAIT);

    const changed = order({ sid: "s1", rev: 2, url: single(4301, 4203), alias: "new" });
    expect(await apply(changed)).toMatchObject([{ outcome: "applied", rev: 2, instance: id }]);
    expect(await instance(id)).toMatchObject({ alias: "new", url: changed.url });
    await apply({ ...changed, rev: 3, running: false });
    expect(await instance(id)).toMatchObject({ status: "stopped", restart: false });
    await apply({ ...changed, rev: 4, url: single(4301), running: false });
    expect(await instance(id)).toMatchObject({ status: "stopped", url: single(4301) });
    await apply({ ...changed, rev: 5 });
    expect(await instance(id)).toMatchObject({ status: "running", restart: true });
    expect(await apply({ ...changed, rev: 6, gone: true })).toMatchObject([
      { outcome: "released", instance: null, carried: { tcprx: 0, udptx: 0 } },
    ]);
    expect(await member.instances.list()).toEqual([]);
    // Who has not heard it is told again.
    expect(await apply({ ...changed, rev: 6, gone: true })).toMatchObject([
      { outcome: "released", carried: { tcprx: 0 } },
    ]);
  });

  test("is changed by nobody else at the member's own port", async () => {
    const [made] = await apply(order({ sid: "s1", url: single(4302) }));
    const path = `/api/instances/${made?.instance}`;
    const ask = (method: string, body?: object) =>
      member.master.app.request(path, {
        method,
        headers: { "X-API-Key": member.master.apiKey, "Content-Type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    for (const [method, body] of [
      ["PUT", { url: single(4303) }],
      ["DELETE", undefined],
      ["PATCH", { action: "stop" }],
      ["PATCH", { restart: false }],
    ] as const) {
      const refused = await ask(method, body);
      expect([refused.status, await refused.json()]).toEqual([
        409,
        { error: "managed by the fleet; change it there or detach it" },
      ]);
    }
    expect((await ask("PATCH", { alias: "mine" })).status).toBe(200);
    expect((await ask("PATCH", { action: "reset" })).status).toBe(200);
    expect((await ask("PATCH", { action: "restart" })).status).toBe(200);
    // Kept also after a start of the master, and so is the name.
    orders = [order({ sid: "s1", url: single(4302) })];
    await restart();
    expect((await ask("DELETE")).status).toBe(409);
    expect(await instance(made?.instance)).toMatchObject({ alias: "mine", status: "running" });
  });

  test("runs again with its master while the fleet is away", async () => {
    const [made] = await apply(order({ sid: "s1", url: single(4304) }));
    await member.stop();
    const silent = hub.servers;
    await hub.engine.stop();
    try {
      member = await startMember(folder, {});
      closers.push(() => member.stop());
      await member.master.started;
      expect(await instance(made?.instance)).toMatchObject({ status: "running" });
      expect(member.agent.status()).toMatchObject({ state: "connecting", mid });
    } finally {
      hub.servers = silent;
      await hub.engine.restart();
    }
    await vi.waitFor(() => expect(member.agent.status().state).toBe("synced"), {
      timeout: 60_000,
      interval: 50,
    });
  });

  test("an order from before changes nothing, in whatever order they come", async () => {
    const first = order({ sid: "s1", url: single(4305), rev: 5, epoch: 2 });
    await apply(first);
    const reports = await apply(
      { ...first, rev: 4, url: single(4306) },
      { ...first, rev: 6, epoch: 1, url: single(4307) },
    );
    expect(reports).toMatchObject([
      { rev: 5, epoch: 2 },
      { rev: 5, epoch: 2 },
    ]);
    expect((await member.instances.list()).map(({ url }) => url)).toEqual([first.url]);
    await apply({ ...first, rev: 7, gone: true });
    await apply({ ...first, rev: 6, epoch: 2 });
    expect(await member.instances.list()).toEqual([]);
  });

  test("a sync removes only what a set that is not older leaves out", async () => {
    await apply(order({ sid: "s1", url: single(4308), rev: 7 }));
    await apply(order({ sid: "s2", url: single(4309), rev: 8 }));
    const running = async () =>
      (await member.instances.list()).map(({ meta }) => meta.peer.sid).sort();

    // An older store, and an empty one.
    [revision, orders] = [6, []];
    await restart();
    expect(hub.syncs.at(-1)?.sync).toMatchObject({ revision: 8, bucket: "b1" });
    expect(
      hub.syncs
        .at(-1)
        ?.sync.parts.map(({ sid }) => sid)
        .sort(),
    ).toEqual(["s1", "s2"]);
    expect(await running()).toEqual(["s1", "s2"]);
    [revision, bucket] = [1000, "b2"];
    await restart();
    expect(await running()).toEqual(["s1", "s2"]);
    expect(member.lines.join("\n")).toContain("its store is older or another");

    // Restored into another bucket: known again, though its revisions began anew.
    orders = [
      order({ sid: "s1", url: single(4308), rev: 1 }),
      order({ sid: "s2", url: single(4310), rev: 2 }),
    ];
    revision = 2;
    await restart();
    expect(await running()).toEqual(["s1", "s2"]);
    await restart();
    expect(hub.syncs.at(-1)?.sync).toMatchObject({ revision: 2, bucket: "b2" });

    [revision, orders] = [3, orders.slice(0, 1)];
    await restart();
    await vi.waitFor(async () => expect(await running()).toEqual(["s1"]), WAIT);
    await vi.waitFor(() => expect(told("s2")?.outcome).toBe("released"), WAIT);
  });

  test("a hub that has begun anew is told on its word", async () => {
    const { length } = hub.syncs;
    hub.tell(mid, "resync", { session: hub.syncs.at(-1)?.sync.session, afterMs: 0 });
    await vi.waitFor(() => expect(hub.syncs.length).toBe(length + 1), WAIT);
    hub.tell(mid, "resync", { session: "0".repeat(16), afterMs: 0 });
    await hub.api(mid, { path: "/api/info" });
    expect(hub.syncs.length).toBe(length + 1);
  });

  test("a local instance becomes a part, and is a local one again", async () => {
    const local = await member.instances.create({ url: single(4311), alias: "old" });
    const tags = { tier: "gold", [OWNER_TAG]: "site", [NAME_TAG]: "new" };
    const part = order({ sid: "s1", url: single(4311), adopt: local.id, alias: "new", tags });
    expect(await apply(part)).toMatchObject([{ outcome: "applied", instance: local.id }]);
    expect((await instance(local.id))?.meta.tags).toEqual(tags);
    expect(await instance(local.id)).toMatchObject({ alias: "new", meta: { peer: { sid: "s1" } } });
    await expect(member.instances.remove(local.id)).rejects.toMatchObject({ code: "CONFLICT" });
    const [left] = await apply({ ...part, rev: 2, gone: true, keep: true });
    expect(left).toMatchObject({ outcome: "released" });
    expect(await instance(local.id)).toMatchObject({
      status: "running",
      meta: { peer: { sid: "" } },
    });
    // No file brought it, as for the fleet as for this master.
    expect((await instance(local.id))?.meta.tags).toEqual({ tier: "gold" });
    await member.instances.remove(local.id);
  });

  test("what can't be run is tried 5 times, then rests until it is changed", async () => {
    const holder = await member.instances.create({ url: single(4312) });
    const part = order({ sid: "s1", url: single(4312) });
    const [failed] = await apply(part);
    expect(failed).toMatchObject({ outcome: "failed", running: false, instance: null });
    expect(failed?.reason).toContain(`is held by instance ${holder.id}`);
    const tries = () => member.lines.filter((line) => line.includes("part not as its record"));
    expect(tries().length).toBe(5);
    await member.instances.remove(holder.id);
    expect(await apply(part)).toMatchObject([{ outcome: "failed" }]);
    expect(tries().length).toBe(5);
    expect(await apply({ ...part, rev: 2 })).toMatchObject([{ outcome: "applied", rev: 2 }]);
    const bad = order({ sid: "s2", url: "client://nonsense" });
    expect(await apply(bad)).toMatchObject([{ outcome: "failed", sid: "s2" }]);
    expect(tries().length).toBe(6);
  });

  test("is counted in a heartbeat soon after a change", async () => {
    const counts = () => hub.heartbeats.filter((one) => one.mid === mid).map(({ beat }) => beat.n);
    await vi.waitFor(() => expect(counts().length).toBeGreaterThan(0), WAIT);
    const before = counts().length;
    const at = performance.now();
    const [running = 0, stopped = 0] = counts().at(-1) ?? [];
    await apply(order({ sid: "s1", url: single(4590) }));
    await vi.waitFor(() => expect(counts().at(-1)?.[0]).toBe(running + 1), WAIT);
    expect(stopped).toBe(0);
    // The next one by the clock is 5 s later; on a machine with much to do it may be that one.
    if (counts().length === before + 1) expect(performance.now() - at).toBeLessThan(5000);
  });

  test("is prepared: ports are chosen, and what is in the way is named", async () => {
    const prepare = (url: string, key: object | null = null) =>
      hub.ask(mid, "prepare", { url, key }, PreparedSchema);
    const auto = await prepare(`server://${HOST}:auto/${HOST}:auto?mode=1`);
    const [, tunnel, entry] =
      /^server:\/\/[\d.]+:(\d+)\/[\d.]+:(\d+)\?mode=1$/.exec(auto.url) ?? [];
    expect(auto).toMatchObject({ ok: true, status: 200, tunnelPort: Number(tunnel) });
    expect(entry).not.toBe(tunnel);
    expect(Number(entry)).toBeGreaterThanOrEqual(10_000);
    expect(await prepare("nonsense://x")).toMatchObject({ ok: false, status: 400 });

    const foreign = createServer().listen(4313, HOST);
    await once(foreign, "listening");
    closers.push(() => foreign.close());
    const taken = await prepare(single(4313));
    expect(taken).toMatchObject({ ok: false, status: 409 });
    expect(taken.reason).toBe(`this master cannot listen on ${HOST}:4313: EADDRINUSE`);

    await apply(order({ sid: "s1", url: single(4314) }));
    expect(await prepare(single(4314))).toMatchObject({ ok: false, status: 409 });
    const own = { sid: "s1", part: 0 };
    expect(await prepare(single(4314, 4299), own)).toMatchObject({ ok: true, tunnelPort: 0 });
    expect((await member.instances.list()).length).toBe(1);
  });

  test("bounds of its owner hold for what the fleet runs, and against a way round", async () => {
    await restart({ targets: readTargets("10.0.0.0/8,db.internal") });
    expect(hub.syncs.at(-1)?.sync.allow).toEqual(["apply", "read"]);
    const [barred] = await apply(order({ sid: "s1", url: single(4315) }));
    expect(barred?.reason).toBe(
      `this master's own settings do not allow the fleet to connect to ${HOST}`,
    );
    const asked = { url: `client://${HOST}:4316/db.internal:5432?mode=1`, key: null };
    expect(await hub.ask(mid, "prepare", asked, PreparedSchema)).toMatchObject({ ok: true });
    await restart({ allow: ["read"] });
    const [refused] = await apply(order({ sid: "s3", url: single(4317) }));
    expect(refused).toMatchObject({ outcome: "failed" });
    expect(refused?.reason).toContain("do not allow apply");
    expect(await member.instances.list()).toEqual([]);
  });

  test("a tunnel that fails by itself is told, and told again when it runs", async () => {
    const foreign = createServer().listen(4318, HOST);
    await once(foreign, "listening");
    const [failed] = await apply(order({ sid: "s1", url: single(4318) }));
    expect(failed).toMatchObject({ outcome: "failed" });
    expect(failed?.reason).toContain("is in use");
    await new Promise((resolve) => foreign.close(resolve));
    await vi.waitFor(() => expect(told("s1")?.outcome).toBe("applied"), WAIT);
    const beats = () => hub.heartbeats.filter((one) => one.mid === mid).at(-1)?.beat.d;
    await vi.waitFor(() => expect(beats()).toBe(0), WAIT);
  });
});
