import { afterEach, describe, expect, it } from "vitest";
import { keyOf } from "../../src/services/part-url.ts";
import { ADMIN, midOf, World, type WorldOptions } from "../support/sim/world.ts";

let world: World | undefined;

afterEach(() => {
  expect(world?.broken ?? []).toEqual([]);
  world?.close();
  world = undefined;
});

const begin = async (options?: WorldOptions) => {
  world = await World.start(options);
  // A leader that has just begun fails nobody over.
  await world.time.pass(30_000);
  return world;
};

const SERVER = { url: "server://0.0.0.0:auto/127.0.0.1:8080?tls=1", master: "m0" };
const CLIENT = { url: "client://auto/127.0.0.1:80", master: "m1" };
const policy = (failover: string, more: object = {}) => ({ failover, ttl: 10, ...more });

describe("failover", () => {
  it("is off unless it is asked for", async () => {
    const fleet = await begin();
    await fleet.create("s", { parts: [SERVER] });
    fleet.member(0).kill();
    await fleet.time.pass(120_000);
    expect(fleet.record("s")?.parts[0]).toMatchObject({ owner: midOf(0), epoch: 1 });
  });

  it.each(["serve", "strict"])(
    "with %s gives a part to another TTL + 1 s after its owner's last word",
    async (failover) => {
      const fleet = await begin();
      await fleet.create("s", { policy: policy(failover), parts: [SERVER] });
      await fleet.time.pass(20_000);
      expect(fleet.serving("s")).toEqual(["m0"]);
      fleet.member(0).kill();
      // It spoke at most TTL/4 before.
      await fleet.time.pass(8400);
      expect(fleet.serving("s")).toEqual([]);
      await fleet.time.pass(4100);
      expect(fleet.serving("s")).toHaveLength(1);
      expect(fleet.news.failovers).toMatchObject([{ sid: "s", part: "server", from: midOf(0) }]);
      expect(fleet.store.audited).toMatchObject([
        { action: "service.failover", token: "hub", outcome: "intended" },
        { action: "service.failover", token: "hub", outcome: "done" },
      ]);
      await fleet.time.pass(30_000);
      expect(fleet.record("s")?.parts[0]).toMatchObject({ epoch: 2, from: null, home: null });
    },
  );

  it("tells that nobody can take a part over, and why", async () => {
    const address = (index: number) => (index === 0 ? "10.0.0.1" : "");
    const fleet = await begin({ members: 2, address });
    await fleet.create("s", { policy: policy("serve"), parts: [SERVER, CLIENT] });
    fleet.member(0).kill();
    await fleet.time.pass(20_000);
    const [told, ...again] = fleet.news.failovers;
    expect(told).toMatchObject({ sid: "s", part: "server", from: midOf(0), to: null });
    expect(told?.message).toContain(
      "server of s: m0 is lost, and nobody can take over: master m1 has no address",
    );
    for (const each of again) expect(each).toEqual(told);
  });

  it("gives the surviving half of a pair a new key", async () => {
    const fleet = await begin();
    await fleet.create("pair", { policy: policy("serve"), parts: [SERVER, CLIENT] });
    const before = keyOf(fleet.record("pair")?.parts[1]?.url ?? "");
    fleet.member(0).kill();
    await fleet.time.pass(15_000);
    const [server, client] = fleet.record("pair")?.parts ?? [];
    expect(server?.owner).not.toBe(midOf(0));
    expect(client).toMatchObject({ owner: midOf(1), epoch: 2 });
    expect(keyOf(client?.url ?? "")).not.toBe(before);
    expect(fleet.member(1).order("pair", 1)?.url).toBe(client?.url);
    expect(client?.url).not.toContain("@10.0.0.1:");
  });

  it("takes both halves over that one master had", async () => {
    const fleet = await begin();
    const parts = [SERVER, { ...CLIENT, master: "m0" }];
    await fleet.create("pair", { policy: policy("strict"), parts });
    await fleet.time.pass(5000);
    fleet.member(0).kill();
    await fleet.time.pass(15_000);
    expect([fleet.serving("pair", 0), fleet.serving("pair", 1)]).toMatchObject([
      { length: 1 },
      { length: 1 },
    ]);
  });

  it("is never begun within TTL + 1 s of leading", async () => {
    const fleet = await begin({ hubs: 2 });
    await fleet.create("s", { policy: policy("serve"), parts: [SERVER] });
    fleet.leader.kill(fleet.network);
    fleet.member(0).kill();
    // LTTL + 1 s without a renewal, then TTL + 1 s.
    await fleet.time.pass(15_000);
    expect(fleet.news.failovers).toEqual([]);
    await fleet.time.pass(5000);
    expect(fleet.serving("s")).toHaveLength(1);
  });

  it("goes on where nobody can tell, when a member is cut off: serve in two places, strict in one", async () => {
    const fleet = await begin();
    await fleet.create("serve", { policy: policy("serve"), parts: [SERVER] });
    await fleet.create("strict", { policy: policy("strict"), parts: [SERVER] });
    await fleet.time.pass(5000);
    fleet.network.cutOff(midOf(0), 60_000);
    await fleet.time.pass(20_000);
    expect(fleet.serving("serve")).toHaveLength(2);
    expect(fleet.serving("strict")).toHaveLength(1);
    expect(fleet.serving("strict")).not.toContain("m0");
    await fleet.time.pass(50_000);
    expect(fleet.serving("serve")).toHaveLength(1);
    expect(fleet.member(0).parts()).toEqual([]);
  });

  it("does not stop strict parts of living members when the leading hub dies", async () => {
    const fleet = await begin({ hubs: 2 });
    await fleet.create("s", { policy: { failover: "strict", ttl: 15 }, parts: [SERVER] });
    await fleet.time.pass(5000);
    fleet.leader.kill(fleet.network);
    let gaps = 0;
    const check = fleet.time.onMoment;
    fleet.time.onMoment = (now) => {
      check(now);
      if (fleet.serving("s").length === 0) gaps += 1;
    };
    await fleet.time.pass(60_000);
    expect(gaps).toBe(0);
  });

  it("asks the next one when who takes over can't run it", async () => {
    const fleet = await begin({
      canRun: (mid) => (mid === midOf(1) || mid === midOf(2) ? () => "no" : undefined),
    });
    await fleet.create("s", { policy: policy("serve"), parts: [SERVER] });
    fleet.member(0).kill();
    await fleet.time.pass(40_000);
    expect(fleet.serving("s")).toEqual(["m3"]);
  });

  it("leaves a part alone that is not to run", async () => {
    const fleet = await begin();
    await fleet.create("s", { policy: policy("serve"), parts: [{ ...SERVER, running: false }] });
    fleet.member(0).kill();
    await fleet.time.pass(60_000);
    expect(fleet.news.failovers).toEqual([]);
  });

  it("stops with an alarm when too many are lost, until a person resumes it", async () => {
    const fleet = await begin({ members: 8 });
    for (let at = 0; at < 6; at += 1) {
      const parts = [{ url: SERVER.url, master: `m${at}` }];
      await fleet.create(`s${at}`, { policy: policy("serve"), parts });
    }
    for (let at = 0; at < 6; at += 1) fleet.member(at).kill();
    await fleet.time.pass(90_000);
    expect(fleet.news.failovers.length).toBeLessThanOrEqual(3);
    expect([...fleet.news.alarms.keys()]).toEqual(["mass-loss"]);
    for (const hub of fleet.hubs) hub.operations.resumeFailover(ADMIN);
    await fleet.time.pass(5000);
    expect(fleet.news.failovers).toHaveLength(6);
    expect(fleet.news.alarms.size).toBe(0);
  });

  it("goes back to a master that has been well for 10 min, if that is wanted", async () => {
    const fleet = await begin();
    const failback = { failback: "healthy" };
    await fleet.create("back", { policy: policy("strict", failback), parts: [SERVER] });
    await fleet.create("stays", { policy: policy("strict"), parts: [SERVER] });
    fleet.member(0).kill();
    await fleet.time.pass(60_000);
    expect(fleet.record("back")?.parts[0]?.home).toBe(midOf(0));
    fleet.member(0).start();
    await fleet.time.pass(590_000);
    expect(fleet.serving("back")).not.toEqual(["m0"]);
    await fleet.time.pass(30_000);
    expect(fleet.serving("back")).toEqual(["m0"]);
    expect(fleet.record("back")?.parts[0]?.home).toBeNull();
    expect(fleet.serving("stays")).not.toEqual(["m0"]);
  });

  it("waits for an owner that has not heard yet that its part is strict", async () => {
    const fleet = await begin();
    await fleet.create("s", { policy: policy("serve", { ttl: 60 }), parts: [SERVER] });
    fleet.network.cutOff(midOf(0), 200_000);
    await fleet.time.pass(1000);
    const change = { policy: { failover: "strict" as const, ttl: 5 } };
    await fleet.time.until(fleet.hub().operations.change(ADMIN, "s", change, undefined));
    expect(fleet.record("s")?.parts[0]).toMatchObject({
      owner: midOf(0),
      from: midOf(0),
      epoch: 2,
    });
    await fleet.time.pass(150_000);
    expect(fleet.serving("s")).toEqual(["m0"]);
    await fleet.time.pass(60_000);
    expect(fleet.record("s")?.parts[0]).toMatchObject({ owner: midOf(0), from: null });
    expect(fleet.serving("s")).toEqual(["m0"]);
  });

  it("names no new owner of a strict part after a frozen hub's late take-over", async () => {
    const fleet = await begin({ hubs: 2 });
    await fleet.create("s", { policy: policy("strict"), parts: [SERVER] });
    await fleet.time.pass(5000);
    const { leader } = fleet;
    // The owner's words reach the other hub only, then the leader freezes between decision and CAS.
    const { update } = leader.store.services;
    leader.store.services.update = async (...call) => {
      leader.clock.freeze(9000);
      await leader.clock.ready();
      return update(...call);
    };
    const { presence } = leader;
    const deaf = presence.sealedWord;
    presence.sealedWord = (mid) => {
      if (mid !== midOf(0)) deaf(mid);
    };
    await fleet.time.pass(60_000);
    expect(fleet.record("s")?.parts[0]?.epoch).toBe(2);
    expect(fleet.serving("s")).toHaveLength(1);
    expect(fleet.serving("s")).not.toEqual(["m0"]);
  });
});
