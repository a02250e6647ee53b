import { randomBytes } from "node:crypto";
import { type ApiAnswer, type ApiRequest, packMessage } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { type FleetEvent, type NewService, parseSelector } from "@nodepass/model/fleet";
import { InstanceSchema } from "@nodepass/model/schemas";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FleetHub } from "../src/index.ts";
import type { SimulatedMember } from "./support/simulated-member.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const SLOW = { timeout: 30_000 };

/** A service of one part on a certain master. */
function onMaster(mid: string, alias = `web-${mid}`): NewService {
  return {
    alias,
    tags: {},
    policy: { failover: "off", ttl: 15, failback: "never" },
    parts: [{ url: "server://secret@0.0.0.0:auto/127.0.0.1:80", master: mid, running: true }],
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

/** Answers of `/instances`, as a master gives them. */
function listing(ids: readonly string[]) {
  return ({ path }: ApiRequest): ApiAnswer => {
    const found = path === "/api/v1/instances";
    const text = JSON.stringify(found ? ids.map(instance) : { error: "Not found" });
    return {
      status: found ? 200 : 404,
      headers: [["content-type", "application/json"]],
      body: new TextEncoder().encode(text),
      streamed: false,
    };
  };
}

function instance(id: string): Record<string, unknown> {
  const { example } = InstanceSchema.meta() ?? {};
  const meta = { peer: { sid: id === "peer" ? "s1" : "", type: "", alias: "" }, tags: {} };
  return { ...Object(example), id, meta };
}

here("a hub", () => {
  let fleet: TestFleet;
  let hub: FleetHub;
  beforeAll(async () => {
    fleet = await TestFleet.start();
    hub = await fleet.hub({ id: "one" });
  });
  afterAll(() => fleet.close());
  const admin = () => fleet.admin(hub);
  const facts = (member: SimulatedMember) => hub.presence.facts(member.identity.mid);

  test("lets a master in by a token, and lists it", async () => {
    const member = await fleet.member(hub, { labels: { region: "eu" } });
    const { mid, name } = member.identity;
    await vi.waitFor(() => expect(facts(member).status).toBe("online"));
    const shown = hub.fleet.master(admin(), mid);
    expect(shown).toMatchObject({
      mid,
      name,
      labels: { region: "eu" },
      status: "online",
      version: "simulated",
      allow: ["apply", "api", "read"],
      duplicate: false,
      draining: false,
      cpu: 1.5,
      memory: 50_000_000,
    });
    expect(hub.fleet.master(admin(), name).mid).toBe(mid);
    expect(hub.fleet.info(admin())).toMatchObject({
      fleet: "test",
      hub: "one",
      leader: "one",
      engine: { connected: true, servers: 1 },
      role: "admin",
      alarms: [],
    });
    expect(hub.fleet.info(admin()).engine.version).toMatch(/^2\.\d+\.\d+/);
  });

  test("creates a service, shows it as its reader may see it, changes and removes it", async () => {
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const service = await hub.fleet.createService(admin(), onMaster(mid));
    const { sid } = service;
    expect(service.parts[0]).toMatchObject({ owner: mid, state: "applied", running: true });
    expect(service.parts[0]?.url).toContain("secret@");
    expect(member.parts.get(`${sid}/0`)?.order.url).toContain("secret@");
    const { token } = await hub.fleet.createToken(admin(), {
      kind: "api",
      role: "operator",
      selector: "",
      labels: {},
      note: "",
    });
    const operator = hub.fleet.verifyToken(token, "127.0.0.1");
    if (operator === undefined) throw new Error("no caller");
    expect(hub.fleet.service(operator, sid).parts[0]?.url).not.toContain("secret");
    expect(hub.fleet.services(operator).map((each) => each.sid)).toContain(sid);

    const stopped = await hub.fleet.changeService(
      operator,
      sid,
      { parts: [{ running: false }] },
      service.revision,
    );
    expect(stopped.parts[0]).toMatchObject({ running: false, state: "applied" });
    expect(member.parts.get(`${sid}/0`)?.report.running).toBe(false);
    const stale = hub.fleet.changeService(operator, sid, { alias: "x" }, service.revision);
    expect(await codeOf(stale)).toBe("PRECONDITION");
    await hub.fleet.removeService(operator, sid, stopped.revision, false);
    await vi.waitFor(() => expect(member.parts.size).toBe(0), SLOW);
    expect(() => hub.fleet.service(operator, sid)).toThrow("no service");
  });

  test("writes who did what into the audit before and after, without keys", async () => {
    const member = await fleet.member(hub);
    const { sid } = await hub.fleet.createService(
      admin(),
      onMaster(member.identity.mid, "audited"),
    );
    const entries = (await hub.fleet.audit(admin(), { limit: 50 })).filter(
      ({ object }) => object === sid,
    );
    expect(entries.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "service.create done",
      "service.create intended",
    ]);
    const [done] = entries;
    expect(done).toMatchObject({ token: admin().token, role: "admin", from: "127.0.0.1" });
    expect(done?.after).toBe(hub.fleet.service(admin(), sid).revision);
    expect(JSON.stringify(entries)).not.toContain("secret");
    const refused = hub.fleet.moveService(admin(), sid, { to: "nobody", force: false });
    expect(await codeOf(refused)).not.toBe("none");
    const [last] = await hub.fleet.audit(admin(), { limit: 1 });
    expect(last).toMatchObject({ action: "service.move", outcome: "refused", object: sid });
  });

  test("what members say that can't be read is counted, dropped and, if it asks, refused", async () => {
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const before = structuredClone(hub.figures().counts.bad);
    const garbage = new Uint8Array([1, 2, 3]);
    const { connection } = member;
    member.publishRaw(`np.test.hb.${mid}`, garbage);
    member.publishRaw(`np.test.hb.${mid}`, new Uint8Array(2000));
    member.publishRaw(`np.test.hub.${mid}.done`, garbage);
    member.publishRaw(`np.test.hub.${mid}.lease`, garbage);
    // Sealed, but for another place.
    const sealed = member.box.seal(`np.test.hub.${mid}.lease`, garbage);
    member.publishRaw(`np.test.hub.${mid}.done`, sealed);
    const answer = await connection?.request(`np.test.hub.${mid}.sync`, garbage, { timeout: 5000 });
    expect(answer?.headers?.get("Np-Refused")).toBe("bad-message");
    const { bad } = hub.figures().counts;
    expect(bad.heartbeat - before.heartbeat).toBe(2);
    expect(bad.done - before.done).toBe(2);
    expect(bad.lease - before.lease).toBe(1);
    expect(bad.sync).toBeGreaterThan(before.sync);
    // And it is heard all the same.
    expect(await hub.messenger.prepare(mid, { url: "server://:auto/:1", key: null })).toMatchObject(
      {
        ok: true,
      },
    );
  });

  test("random and damaged messages of each kind are counted, and nothing else comes of them", async () => {
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const subjects = ["sync", "lease", "done"].map((kind) => `np.test.hub.${mid}.${kind}`);
    subjects.push(`np.test.hb.${mid}`, `np.test.ev.${mid}`, `np.test.res.${mid}.${"0".repeat(32)}`);
    const total = () => Object.values(hub.figures().counts.bad).reduce((sum, bad) => sum + bad, 0);
    const before = total();
    // Events are opened only while somebody reads them.
    const stop = hub.fleet.subscribe(admin(), { instances: true }, () => undefined);
    for (let round = 0; round < 600; round += 1) {
      for (const subject of subjects) {
        const random = new Uint8Array(randomBytes(Math.floor(Math.random() * 200)));
        member.publishRaw(subject, random);
        // In a right box for the right place, but of another shape.
        const packed = packMessage({ session: random, parts: [round], reports: { a: 1 }, type: 7 });
        member.publishRaw(subject, member.box.seal(subject, round % 2 === 0 ? packed : random));
        // A right one with one bit changed.
        const damaged = member.box.seal(subject, packed);
        const at = Math.floor(Math.random() * damaged.length);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (round % 8));
        member.publishRaw(subject, damaged);
      }
    }
    await member.connection?.flush();
    // Nobody waits for a piece of that stream: those are not even opened.
    await vi.waitFor(() => expect(total() - before).toBeGreaterThanOrEqual(600 * 3 * 5), SLOW);
    stop();
    expect(hub.fleet.info(admin()).engine.connected).toBe(true);
    const { sid } = await hub.fleet.createService(admin(), onMaster(mid));
    expect(hub.fleet.service(admin(), sid).parts[0]?.state).toBe("applied");
    expect(facts(member)).toMatchObject({ status: "online", session: member.session });
  }, 60_000);

  test("tells readers what is there and what changes, as far as they may see it", async () => {
    const labels = { told: "yes" };
    const member = await fleet.member(hub, { labels });
    const { mid } = member.identity;
    const { token } = await hub.fleet.createToken(admin(), {
      kind: "api",
      role: "viewer",
      selector: "told=no",
      labels: {},
      note: "",
    });
    const blind = hub.fleet.verifyToken(token, "127.0.0.1");
    if (blind === undefined) throw new Error("no caller");
    const seen: FleetEvent[] = [];
    const unseen: FleetEvent[] = [];
    const stops = [
      hub.fleet.subscribe(admin(), { instances: true }, (event) => seen.push(event)),
      hub.fleet.subscribe(blind, { instances: true }, (event) => unseen.push(event)),
      hub.fleet.subscribe(admin(), { instances: false }, () => {
        throw new Error("a reader that fails");
      }),
    ];
    expect(seen.some((event) => event.type === "initial" && event.master.mid === mid)).toBe(true);
    await vi.waitFor(() => expect(member.watchedForMs).toBe(60_000));
    member.sayEvent("update", instance("i1"));
    member.sayEvent("delete", instance("i2"));
    member.sayEvent("update", { id: "no instance" });
    const { sid } = await hub.fleet.createService(admin(), onMaster(mid));
    await hub.fleet.changeMaster(admin(), mid, { name: "renamed" });
    await hub.fleet.removeService(admin(), sid, undefined, false);
    await vi.waitFor(() => {
      const types = seen.map((event) =>
        event.type === "service" || event.type === "master" ? `${event.type}+` : event.type,
      );
      expect(types).toEqual(
        expect.arrayContaining([
          "instance",
          "instanceRemoved",
          "service+",
          "master+",
          "serviceRemoved",
        ]),
      );
    }, SLOW);
    const told = seen.find((event) => event.type === "instance");
    expect(told).toMatchObject({ instance: { id: "i1", mid, sid: null } });
    expect(seen.some((event) => event.type === "master" && event.master.name === "renamed")).toBe(
      true,
    );
    // Who may not see a master hears nothing of it, nor of its services and instances.
    expect(unseen.filter(({ type }) => type !== "alarm")).toEqual([]);
    for (const stop of stops) stop();
    await vi.waitFor(() => expect(member.watchedForMs).toBe(0));
  });

  // Beside the next: its counts are of a hub of its own.
  test.concurrent("a part that fails is tried five times, and again when its record changes", async ({
    onTestFinished,
  }) => {
    const fleet = await TestFleet.start();
    onTestFinished(() => fleet.close());
    const hub = await fleet.hub({ id: "counting" });
    const admin = () => fleet.admin(hub);
    let isFailing = false;
    const member = await fleet.member(hub, {
      failure: () => (isFailing ? "port 1 is held by another program" : undefined),
    });
    const { sid } = await hub.fleet.createService(admin(), onMaster(member.identity.mid));
    expect(member.orders).toBe(1);
    isFailing = true;
    const failed = await hub.fleet.changeService(admin(), sid, { alias: "b" }, undefined);
    expect(failed.parts[0]).toMatchObject({
      state: "failed",
      reason: "port 1 is held by another program",
    });
    await vi.waitFor(() => expect(member.orders).toBe(6), { timeout: 60_000, interval: 200 });
    expect(hub.figures().openOrders).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(member.orders).toBe(6);
    isFailing = false;
    const changed = await hub.fleet.changeService(admin(), sid, { alias: "c" }, undefined);
    expect(changed.parts[0]?.state).toBe("applied");
    expect(member.orders).toBe(7);
    expect(hub.figures().openOrders).toBe(0);
  }, 120_000);

  test.concurrent("one whose process was started anew keeps what it has; a copy of it has to leave", async () => {
    const member = await fleet.member(hub);
    const { identity } = member;
    const { sid } = await hub.fleet.createService(admin(), onMaster(identity.mid));
    // A restart: the old one is silent, the new one gets its orders in the answer to its sync.
    await member.close();
    const restarted = await fleet.member(hub, { identity });
    expect(restarted.parts.has(`${sid}/0`)).toBe(true);
    await vi.waitFor(() => expect(facts(restarted).session).toBe(restarted.session));
    expect(facts(restarted).duplicate).toBe(false);
    // A copy: both go on.
    const events: FleetEvent[] = [];
    const stop = hub.fleet.subscribe(admin(), { instances: false }, (event) => events.push(event));
    const scoped = { ...admin(), selector: parseSelector("region=nowhere") };
    const unseen: FleetEvent[] = [];
    const unsee = hub.fleet.subscribe(scoped, { instances: false }, (event) => unseen.push(event));
    const copy = await fleet.member(hub, { identity });
    await vi.waitFor(() => expect(restarted.evicted).toContain("another process"), SLOW);
    expect(facts(copy)).toMatchObject({ session: copy.session, status: "online" });
    expect(hub.fleet.master(admin(), identity.mid).duplicate).toBe(true);
    await vi.waitFor(() => {
      const raised = events.find((event) => event.type === "alarm" && event.raised);
      expect(raised).toMatchObject({ alarm: "duplicate" });
    }, SLOW);
    expect(unseen.some((event) => event.type === "alarm" && event.raised)).toBe(true);
    expect(hub.fleet.info(scoped).alarms).toContainEqual({ alarm: "duplicate", message: "" });
    expect(hub.fleet.info(scoped)).toMatchObject({ masters: 0, services: 0 });
    expect(JSON.stringify([unseen, hub.fleet.info(scoped)])).not.toContain(identity.mid);
    unsee();
    // It can't take the seat back.
    await restarted.sync();
    expect(facts(copy).session).toBe(copy.session);
    await restarted.close();
    await vi.waitFor(() => expect(facts(copy).duplicate).toBe(false), { timeout: 40_000 });
    expect(copy.evicted).toBeUndefined();
    stop();
  }, 90_000);

  test.concurrent("asks all masters for instances, in pages, and names who does not answer", async () => {
    const ids = (name: string, count: number) =>
      Array.from({ length: count }, (_, at) => `${name}${at}`);
    const labels = { pages: "yes" };
    const a = await fleet.member(hub, { labels, api: listing(ids("a", 700)) });
    const b = await fleet.member(hub, { labels, api: listing([...ids("b", 699), "peer"]) });
    let isSilent = false;
    const c = await fleet.member(hub, { labels, isSilent: () => isSilent });
    isSilent = true;
    const selector = [{ name: "pages", is: "equal", value: "yes" }] as const;
    const query = { selector, master: undefined, status: undefined };
    const first = await hub.fleet.instances(admin(), { ...query, cursor: undefined });
    expect(first.instances).toHaveLength(1000);
    const second = await hub.fleet.instances(admin(), {
      ...query,
      cursor: first.cursor ?? undefined,
    });
    expect(second.instances).toHaveLength(400);
    expect(second.cursor).toBeNull();
    expect([...first.missing, ...second.missing]).toContain(c.identity.mid);
    const all = [...first.instances, ...second.instances];
    expect(new Set(all.map(({ mid, id }) => `${mid}/${id}`)).size).toBe(1400);
    expect(all.filter(({ mid }) => mid === a.identity.mid)).toHaveLength(700);
    expect(all.find(({ id }) => id === "peer")).toMatchObject({
      mid: b.identity.mid,
      master: b.identity.name,
      sid: "s1",
    });
    const ofOne = await hub.fleet.instances(admin(), {
      ...query,
      selector: [],
      master: b.identity.name,
      status: "stopped",
      cursor: undefined,
    });
    expect(ofOne).toEqual({ instances: [], cursor: null, missing: [] });
    const wrong = hub.fleet.instances(admin(), { ...query, cursor: "x" });
    expect(await codeOf(wrong)).toBe("INVALID");
  }, 90_000);

  test("50 syncs are answered at once; the others come again, and all are answered", async () => {
    const identities = await Promise.all(Array.from({ length: 120 }, () => fleet.join(hub)));
    const members: SimulatedMember[] = [];
    for (const identity of identities) {
      members.push(await fleet.member(hub, { identity, heartbeatMs: 5000 }));
    }
    const { busy } = hub.figures().counts;
    await Promise.all(members.map((member) => member.sync()));
    expect(members.every(({ synced }) => synced >= 2)).toBe(true);
    expect(hub.figures().counts.busy).toBeGreaterThan(busy);
    await Promise.all(members.map((member) => member.close()));
  }, 90_000);
});
