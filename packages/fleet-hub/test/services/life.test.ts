import { type FleetInstance, FleetInstanceSchema } from "@nodepass/model/fleet";
import { InstanceSchema } from "@nodepass/model/schemas";
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
  return world;
};

const SERVER = { url: "server://0.0.0.0:auto/127.0.0.1:8080?tls=1", master: "m0" };
const CLIENT = { url: "client://auto/127.0.0.1:80", master: "m1" };

describe("change", () => {
  it("brings name, tags and whether it runs to the owner", async () => {
    const fleet = await begin();
    const made = await fleet.create("s", { parts: [SERVER] });
    const changed = await fleet.time.until(
      fleet
        .hub()
        .operations.change(
          ADMIN,
          "s",
          { alias: "web", tags: { a: "b" }, parts: [{ running: false }] },
          made.revision,
        ),
    );
    expect(changed.value).toMatchObject({ alias: "web", tags: { a: "b" } });
    expect(fleet.member(0).order("s", 0)).toMatchObject({
      alias: "web",
      tags: { a: "b" },
      running: false,
      epoch: 1,
    });
  });

  it("refuses another revision, and writes nothing for what is so already", async () => {
    const fleet = await begin();
    const { revision } = await fleet.create("s", { alias: "a", parts: [SERVER] });
    const { operations } = fleet.hub();
    const same = await fleet.time.until(operations.change(ADMIN, "s", { alias: "a" }, revision));
    expect(same.revision).toBe(revision);
    await fleet.time.until(operations.change(ADMIN, "s", { alias: "b" }, revision));
    await expect(
      fleet.time.until(operations.change(ADMIN, "s", { alias: "c" }, revision)),
    ).rejects.toMatchObject({ code: "PRECONDITION" });
  });

  it("changes the key of both halves in one record, and keeps a masked one", async () => {
    const fleet = await begin();
    await fleet.create("pair", { parts: [SERVER, CLIENT] });
    const { operations } = fleet.hub();
    const before = fleet.record("pair")?.parts.map(({ url }) => keyOf(url)) ?? [];
    const url = "server://***@0.0.0.0:5000/127.0.0.1:9090";
    await fleet.time.until(
      operations.change(ADMIN, "pair", { parts: [{ role: "server", url }] }, undefined),
    );
    const [server, client] = fleet.record("pair")?.parts ?? [];
    expect(keyOf(server?.url ?? "")).toBe(before[0]);
    expect(client?.url).toContain("@10.0.0.1:5000/");
    expect([server?.epoch, client?.epoch]).toEqual([1, 1]);
    const keyed = "client://new@10.0.0.1:5000/127.0.0.1:80";
    await fleet.time.until(
      operations.change(ADMIN, "pair", { parts: [{ role: "client", url: keyed }] }, undefined),
    );
    expect(fleet.record("pair")?.parts.map(({ url, epoch }) => [keyOf(url), epoch])).toEqual([
      ["new", 2],
      ["new", 2],
    ]);
    await fleet.time.pass(100);
    expect(keyOf(fleet.member(0).order("pair", 0)?.url ?? "")).toBe("new");
  });

  it("writes nothing when the owner refuses the URL", async () => {
    const fleet = await begin();
    const { revision } = await fleet.create("s", { parts: [SERVER] });
    fleet.member(0).refuses = () => "port 1 is held";
    const parts = [{ url: "server://:1/127.0.0.1:2" }];
    await expect(
      fleet.time.until(fleet.hub().operations.change(ADMIN, "s", { parts }, undefined)),
    ).rejects.toMatchObject({ code: "CONFLICT", message: "master m0 refuses: port 1 is held" });
    expect(fleet.store.services.peek("s")?.revision).toBe(revision);
  });
});

describe("remove", () => {
  it("removes the record and what members run, also of one that was away", async () => {
    const fleet = await begin();
    await fleet.create("pair", { parts: [SERVER, CLIENT] });
    fleet.network.cutOff(midOf(1), 30_000);
    await fleet.time.until(fleet.hub().operations.remove(ADMIN, "pair", undefined, false));
    await fleet.time.pass(100);
    expect(fleet.member(0).parts()).toEqual([]);
    expect(fleet.member(1).parts()).toEqual(["pair/1"]);
    await fleet.time.pass(31_000);
    expect(fleet.member(1).parts()).toEqual([]);
    await expect(
      fleet.hub().operations.remove(ADMIN, "pair", undefined, false),
    ).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("answers when who is there has let go, so that the ports are free", async () => {
    const fleet = await begin({ netDelay: () => 200 });
    const holder = fleet.member(0);
    holder.refuses = () => (holder.parts().length > 0 ? "the port is held" : undefined);
    const { operations } = fleet.hub();
    await fleet.create("before", { parts: [SERVER] });
    await fleet.time.until(operations.remove(ADMIN, "before", undefined, false));
    expect(holder.parts()).toEqual([]);
    await fleet.create("after", { parts: [SERVER] });
    // Nobody waits for who is away, nor for ever.
    fleet.network.cut.add(midOf(0));
    const began = fleet.time.now;
    await fleet.time.until(operations.remove(ADMIN, "after", undefined, false));
    expect(fleet.time.now - began).toBeLessThan(11_000);
    fleet.network.cut.delete(midOf(0));
    holder.sync();
    await fleet.time.pass(5000);
    await fleet.create("last", { parts: [SERVER] });
    holder.kill();
    await fleet.time.pass(20_000);
    const late = fleet.time.now;
    await fleet.time.until(operations.remove(ADMIN, "last", undefined, false));
    expect(fleet.time.now - late).toBeLessThan(1000);
  });

  it("detaches: instances stay with their members as local ones", async () => {
    const fleet = await begin();
    await fleet.create("s", { alias: "web", parts: [SERVER] });
    await fleet.time.until(fleet.hub().operations.remove(ADMIN, "s", undefined, true));
    expect(fleet.record("s")).toBeUndefined();
    expect([...fleet.member(0).local.values()]).toMatchObject([{ alias: "web" }]);
    expect(fleet.member(0).parts()).toEqual([]);
  });

  it("detaches from a member that is away when it is back", async () => {
    const fleet = await begin();
    await fleet.create("s", { parts: [SERVER] });
    fleet.network.cutOff(midOf(0), 30_000);
    await fleet.time.until(fleet.hub().operations.remove(ADMIN, "s", undefined, true));
    expect(fleet.record("s")?.detached).toBe(true);
    await fleet.time.pass(31_000);
    expect(fleet.record("s")).toBeUndefined();
    expect(fleet.member(0).local.size).toBe(1);
  });
});

describe("adopt", () => {
  it("makes a service of a local instance, which keeps its id", async () => {
    const fleet = await begin();
    const url = "client://k@h:1/127.0.0.1:2";
    fleet.member(0).local.set("a1b2c3d4", { url, alias: "mine" });
    const { operations } = fleet.hub();
    const adopted = await fleet.time.until(operations.adopt(ADMIN, "s", midOf(0), "a1b2c3d4"));
    // Without the marks of a file for that master.
    expect(adopted.value.tags).toEqual({ kept: "yes" });
    expect(adopted.value.alias).toBe("mine");
    expect(adopted.value.parts[0]).toMatchObject({ url, owner: midOf(0), running: true });
    expect(operations.managedPart(midOf(0), "a1b2c3d4")).toEqual({ sid: "s", part: 0 });
    expect(fleet.member(0).local.size).toBe(0);
    await expect(operations.adopt(ADMIN, "t", midOf(0), "a1b2c3d4")).rejects.toMatchObject({
      code: "CONFLICT",
    });
    await expect(operations.adopt(ADMIN, "t", midOf(0), "nobody")).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

describe("drain and leave", () => {
  it("moves what may move and names what stays", async () => {
    const fleet = await begin({ labels: (at) => (at === 0 ? { only: "here" } : {}) });
    await fleet.create("goes", { parts: [SERVER] });
    await fleet.create("stays", { parts: [{ ...SERVER, selector: "only=here" }] });
    const parts = [SERVER, { ...CLIENT, master: "m0" }];
    await fleet.create("both", { parts });
    const drained = await fleet.time.until(fleet.hub().operations.drain(ADMIN, midOf(0)));
    expect([...drained.moved].sort()).toEqual(["both", "goes"]);
    expect(drained.left).toEqual([
      { sid: "stays", reason: expect.stringContaining("no other master matches only=here") },
    ]);
    expect(fleet.member(0).parts()).toEqual(["stays/0"]);
    await expect(fleet.create("late", { parts: [SERVER] })).rejects.toMatchObject({
      message: expect.stringContaining("1 is draining"),
    });
  });

  it("gives a part back that was on its way to a member which is taken out", async () => {
    const fleet = await begin();
    await fleet.create("s", { parts: [SERVER] });
    // m0 does not hear that it shall stop.
    fleet.network.cut.add(midOf(0));
    const { operations } = fleet.hub();
    const moving = operations.move(ADMIN, "s", { to: "m1", force: false });
    moving.catch(() => undefined);
    await fleet.time.pass(1000);
    expect(fleet.record("s")?.parts[0]).toMatchObject({ owner: null, to: midOf(1) });
    const record = fleet.store.members.peek(midOf(1))?.value;
    if (record === undefined) throw new Error("no member");
    await fleet.time.until(operations.leave(ADMIN, midOf(1), record, false));
    fleet.network.cut.clear();
    fleet.member(0).sync();
    await fleet.time.pass(5000);
    expect(fleet.record("s")?.parts[0]).toMatchObject({ owner: midOf(0), from: null, to: null });
    expect(fleet.serving("s")).toEqual(["m0"]);
  });

  it.each([
    [true, [], 0],
    [false, [], 1],
  ])("takes a member out of its services, stop %s", async (stop, parts, local) => {
    const fleet = await begin();
    await fleet.create("s", { parts: [SERVER] });
    const record = fleet.store.members.peek(midOf(0))?.value;
    if (record === undefined) throw new Error("no member");
    await fleet.time.until(fleet.hub().operations.leave(ADMIN, midOf(0), record, stop));
    await fleet.time.pass(1000);
    expect(fleet.record("s")?.parts[0]).toMatchObject({ owner: null, from: null, to: null });
    expect(fleet.member(0).parts()).toEqual(parts);
    expect(fleet.member(0).local.size).toBe(local);
    const moved = await fleet.time.until(
      fleet.hub().operations.move(ADMIN, "s", { to: "m2", force: false }),
    );
    expect(moved.value.parts[0]).toMatchObject({ owner: midOf(2), epoch: 2 });
  });
});

describe("export and import", () => {
  it("brings back what is lost, with who runs it now, and changes what differs", async () => {
    const fleet = await begin();
    await fleet.create("pair", { alias: "p", parts: [SERVER, CLIENT] });
    await fleet.create("s", { alias: "old", parts: [SERVER] });
    const { operations } = fleet.hub();
    const exported = operations.export();
    const key = keyOf(fleet.record("pair")?.parts[0]?.url ?? "");
    await fleet.time.until(operations.remove(ADMIN, "pair", undefined, false));
    await fleet.time.until(operations.change(ADMIN, "s", { alias: "new" }, undefined));
    expect(await fleet.time.until(operations.import(ADMIN, exported))).toEqual({
      created: 1,
      changed: 1,
      kept: 0,
      masters: 0,
    });
    expect(await fleet.time.until(operations.import(ADMIN, exported))).toEqual({
      created: 0,
      changed: 0,
      kept: 2,
      masters: 0,
    });
    await fleet.time.pass(1000);
    expect(fleet.record("s")?.alias).toBe("old");
    expect(fleet.record("pair")?.parts).toMatchObject([{ epoch: 2 }, { epoch: 2 }]);
    expect(keyOf(fleet.record("pair")?.parts[0]?.url ?? "")).toBe(key);
    expect(fleet.serving("pair", 1)).toEqual(["m1"]);
  });

  it("believes no member an epoch that no hub has told it", async () => {
    const fleet = await begin();
    await fleet.create("s", { alias: "a", parts: [SERVER] });
    const { operations, presence } = fleet.hub();
    const exported = operations.export();
    await fleet.time.until(operations.remove(ADMIN, "s", undefined, false));
    await fleet.time.pass(1000);
    for (const epoch of [2, Number.MAX_SAFE_INTEGER]) {
      const claim = { sid: "s", part: 0, rev: epoch, epoch, reason: "" } as const;
      const rest = { outcome: "applied", instance: "i", running: true, carried: null } as const;
      presence.reported(midOf(2), [{ ...claim, ...rest, proof: new Uint8Array(16) }]);
    }
    await fleet.time.until(operations.import(ADMIN, exported));
    expect(fleet.record("s")?.parts).toMatchObject([{ owner: midOf(0), epoch: 2 }]);
  });

  it("gives a part to who has got it since the export, and can show it", async () => {
    const fleet = await begin();
    await fleet.create("s", { alias: "a", parts: [SERVER] });
    const { operations } = fleet.hub();
    const exported = operations.export();
    await fleet.time.until(operations.move(ADMIN, "s", { to: "m2", force: false }));
    fleet.store.services.lose();
    for (const member of fleet.members) member.loseStore();
    await fleet.time.pass(1000);
    await fleet.time.until(operations.import(ADMIN, exported));
    await fleet.time.pass(1000);
    expect(fleet.record("s")?.parts).toMatchObject([{ owner: midOf(2), epoch: 3 }]);
    expect(fleet.serving("s")).toEqual(["m2"]);
  });

  it("gives an alias to one service only, the empty one to any", async () => {
    const fleet = await begin();
    const { operations } = fleet.hub();
    await fleet.create("s1", { alias: "web", parts: [SERVER] });
    await fleet.create("s2", { parts: [SERVER] });
    await fleet.create("s3", { parts: [SERVER] });
    const taken = { code: "CONFLICT", message: "service s1 has the alias web already" };
    await expect(fleet.create("s4", { alias: "web", parts: [SERVER] })).rejects.toMatchObject(
      taken,
    );
    await expect(
      fleet.time.until(operations.change(ADMIN, "s2", { alias: "web" }, undefined)),
    ).rejects.toMatchObject(taken);
    await fleet.time.until(operations.change(ADMIN, "s1", { alias: "web" }, undefined));
    const url = "server://k@0.0.0.0:9100/127.0.0.1:80";
    fleet.member(0).local.set("a1b2c3d4", { url, alias: "web" });
    await expect(
      fleet.time.until(operations.adopt(ADMIN, "s5", midOf(0), "a1b2c3d4")),
    ).rejects.toMatchObject(taken);
    expect(fleet.store.services.keys().sort()).toEqual(["s1", "s2", "s3"]);
  });

  it("refuses an export with nothing in it", async () => {
    const fleet = await begin({ members: 0 });
    const { operations } = fleet.hub();
    await expect(operations.import(ADMIN, operations.export())).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/^the export of .+ has nothing in it$/),
    });
  });

  it("refuses what no hub of this fleet has written, or what was changed since", async () => {
    const fleet = await begin();
    await fleet.create("s", { alias: "before", parts: [SERVER] });
    const { operations } = fleet.hub();
    const forged = operations.export().replace('"before"', '"after"');
    for (const [text, message] of [
      [forged, /was changed since/],
      ["{", /no JSON/],
      ["{}", /no signature/],
    ] as const) {
      await expect(operations.import(ADMIN, text)).rejects.toMatchObject({
        code: "INVALID",
        message: expect.stringMatching(message),
      });
    }
  });
});

describe("rebuild", () => {
  const PAIR = "00000000000000aa";
  const HALF = "00000000000000bb";

  const example = Object.assign({}, InstanceSchema.meta()?.example);
  /** All instances of the members that answer. */
  const instances = (fleet: World, ...silent: number[]): FleetInstance[] =>
    fleet.members
      .filter((_, at) => !silent.includes(at))
      .flatMap((member) =>
        member.instances().map(({ id, url, alias, sid }) =>
          FleetInstanceSchema.parse({
            ...example,
            ...{ id, url, alias, mid: member.mid, master: member.name },
            sid: sid === "" ? null : sid,
            meta: { peer: { sid, type: "", alias: "" }, tags: {} },
          }),
        ),
      );
  const places = (fleet: World, sid: string) =>
    fleet.record(sid)?.parts.map(({ owner, url, epoch, role }) => ({ owner, url, epoch, role }));

  it("makes services anew of parts that members hold: ids, halves and keys as they are", async () => {
    const fleet = await begin();
    await fleet.create(PAIR, { alias: "p", parts: [SERVER, CLIENT] });
    await fleet.create(HALF, { alias: "h", parts: [SERVER, { ...CLIENT, master: "m2" }] });
    const before = fleet.record(PAIR);
    fleet.network.cut.add(midOf(2));
    fleet.store.services.lose();
    await fleet.time.pass(1000);
    expect(fleet.serving(PAIR, 0)).toEqual(["m0"]);
    for (const member of fleet.members) member.loseStore();
    const { operations } = fleet.hub();
    const rebuild = (dryRun: boolean, ...silent: number[]) =>
      fleet.time.until(operations.rebuild(ADMIN, instances(fleet, ...silent), dryRun));
    expect((await rebuild(true, 2)).made.map(({ sid }) => sid).sort()).toEqual([PAIR, HALF]);
    expect(fleet.store.services.keys()).toEqual([]);
    expect(await rebuild(false, 2)).toMatchObject({ made: { length: 2 }, left: [] });
    expect(places(fleet, PAIR)).toEqual(
      before?.parts.map(({ owner, url, role }) => ({ owner, url, role, epoch: 2 })),
    );
    expect(fleet.record(HALF)?.parts).toHaveLength(1);
    // The other half's master is back.
    fleet.network.cut.clear();
    fleet.member(2).sync();
    await fleet.time.pass(1000);
    expect((await rebuild(false)).made).toEqual([{ sid: HALF, alias: "h", masters: [midOf(2)] }]);
    expect(places(fleet, HALF)).toMatchObject([{ owner: midOf(0) }, { owner: midOf(2) }]);
    expect(await rebuild(false)).toEqual({ made: [], left: [] });
    await fleet.time.pass(5000);
    expect([0, 1, 2].map((at) => fleet.member(at).parts().sort())).toEqual([
      [`${PAIR}/0`, `${HALF}/0`],
      [`${PAIR}/1`],
      [`${HALF}/1`],
    ]);
  });

  it("brings policies back that members were told, and believes no epoch that they were not", async () => {
    const fleet = await begin();
    const strict = { failover: "strict", ttl: 8, failback: "healthy" } as const;
    const serve = { failover: "serve", ttl: 20, failback: "never" } as const;
    await fleet.create(PAIR, { policy: strict, parts: [SERVER] });
    await fleet.create(HALF, { policy: serve, parts: [SERVER] });
    const { operations, presence } = fleet.hub();
    await fleet.time.until(operations.change(ADMIN, HALF, { policy: { ttl: 30 } }, undefined));
    await fleet.time.pass(1000);
    const [alone] = presence.reportsOf(midOf(0)).filter(({ sid }) => sid === HALF);
    fleet.store.services.lose();
    await fleet.time.pass(1000);
    for (const member of fleet.members) member.loseStore();
    if (alone === undefined) throw new Error("no report");
    // One that claims the part with an epoch of its own, and one that wants it to be strict.
    const other = { ...alone, instance: "made-up", epoch: alone.epoch + 1 };
    presence.reported(midOf(1), [other]);
    fleet.member(1).local.set("made-up", { url: "server://k@0.0.0.0:9/127.0.0.1:2", alias: "x" });
    const third = "00000000000000cc";
    presence.reported(midOf(2), [{ ...alone, sid: third, instance: "none-such" }]);
    fleet.member(2).local.set("none-such", { url: "server://:8/:9", alias: "y" });
    const rebuilt = await fleet.time.until(operations.rebuild(ADMIN, instances(fleet), false));
    expect(rebuilt.made.map(({ sid, masters }) => [sid, masters]).sort()).toEqual([
      [PAIR, [midOf(0)]],
      [HALF, [midOf(0)]],
    ]);
    expect(rebuilt.left).toEqual([
      { sid: third, reason: `master ${midOf(2)} can't show that a hub has told it to run it` },
    ]);
    expect(fleet.record(PAIR)?.policy).toEqual(strict);
    expect(fleet.record(HALF)?.policy).toEqual({ ...serve, ttl: 30 });
    await fleet.time.pass(20_000);
    expect(fleet.record(PAIR)?.parts).toMatchObject([{ owner: midOf(0), from: null }]);
    expect(fleet.serving(PAIR)).toEqual(["m0"]);
    expect(fleet.serving(HALF)).toEqual(["m0"]);
  });

  it("finds pairs again whose members left and joined anew, and names what makes none", async () => {
    const fleet = await begin();
    const server = "server://k@0.0.0.0:1/127.0.0.1:2";
    fleet.member(0).local.set("aaaaaaaa", { url: server, alias: "p", sid: PAIR });
    const client = { url: "client://k@10.0.0.1:1/127.0.0.1:3", alias: "p", sid: PAIR };
    fleet.member(1).local.set("bbbbbbbb", client);
    fleet.member(1).local.set("cccccccc", { ...client, sid: HALF });
    fleet.member(2).local.set("dddddddd", { ...client, sid: HALF });
    fleet.member(2).local.set("eeeeeeee", { ...client, sid: "somebody's own" });
    const { operations } = fleet.hub();
    const rebuilt = await fleet.time.until(operations.rebuild(ADMIN, instances(fleet), false));
    expect(rebuilt).toEqual({
      made: [{ sid: PAIR, alias: "p", masters: [midOf(0), midOf(1)] }],
      left: [{ sid: HALF, reason: "more than one master runs its client" }],
    });
    await fleet.time.pass(1000);
    expect(places(fleet, PAIR)).toEqual([
      { owner: midOf(0), url: server, role: "server", epoch: 1 },
      { owner: midOf(1), url: client.url, role: "client", epoch: 1 },
    ]);
    expect(operations.managedPart(midOf(1), "bbbbbbbb")).toEqual({ sid: PAIR, part: 1 });
    expect(fleet.member(2).local.size).toBe(2);
  });
});
