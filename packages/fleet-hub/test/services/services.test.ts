import { NewServiceSchema } from "@nodepass/model/fleet";
import { afterEach, describe, expect, it } from "vitest";
import { keyOf, tunnelPortOf } from "../../src/services/part-url.ts";
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

const SERVER = { url: "server://0.0.0.0:auto/127.0.0.1:8080?tls=1" };
const CLIENT = { url: "client://auto/127.0.0.1:80" };

describe("create", () => {
  it("places a part on the master with the fewest instances, and answers when it is applied", async () => {
    const fleet = await begin();
    await fleet.create("s1", { parts: [SERVER] });
    await fleet.create("s2", { parts: [SERVER] });
    const owners = ["s1", "s2"].map((sid) => fleet.record(sid)?.parts[0]?.owner);
    expect(new Set(owners).size).toBe(2);
    expect(fleet.serving("s1")).toHaveLength(1);
    expect(fleet.record("s1")?.parts[0]).toMatchObject({ epoch: 1, from: null, to: null });
    expect(fleet.record("s1")?.parts[0]?.url).toMatch(/^server:\/\/0\.0\.0\.0:\d+\/127/);
  });

  it("makes a pair with one key of its own, its client dialling the server's address", async () => {
    const fleet = await begin();
    await fleet.create("pair", {
      alias: "web",
      parts: [
        { ...CLIENT, master: "m1" },
        { ...SERVER, master: "m0" },
      ],
    });
    const [client, server] = fleet.record("pair")?.parts ?? [];
    const key = keyOf(server?.url ?? "");
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(client?.url).toBe(
      `client://${key}@10.0.0.1:${tunnelPortOf(server?.url ?? "")}/127.0.0.1:80`,
    );
    expect([client, server]).toMatchObject([
      { owner: midOf(1), to: null, role: "client" },
      { owner: midOf(0), to: null, role: "server" },
    ]);
  });

  it("keeps a key that one of the URLs has, and refuses two", async () => {
    const fleet = await begin();
    const server = { url: "server://p%40ss@0.0.0.0:auto/127.0.0.1:1" };
    await fleet.create("a", { parts: [server, CLIENT] });
    expect(fleet.record("a")?.parts.map(({ url }) => keyOf(url))).toEqual(["p@ss", "p@ss"]);
    const client = { url: "client://other@auto/127.0.0.1:80" };
    await expect(fleet.create("b", { parts: [server, client] })).rejects.toMatchObject({
      code: "INVALID_URL",
    });
  });

  it("writes nothing when the second half of a pair is refused", async () => {
    const fleet = await begin();
    fleet.member(1).refuses = () => "127.0.0.1:80 is held by instance 12345678";
    const pair = {
      parts: [
        { ...SERVER, master: "m0" },
        { ...CLIENT, master: "m1" },
      ],
    };
    await expect(fleet.create("pair", pair)).rejects.toMatchObject({
      code: "CONFLICT",
      message: "master m1 refuses: 127.0.0.1:80 is held by instance 12345678",
    });
    expect(fleet.store.services.keys()).toEqual([]);
    expect(fleet.member(0).parts()).toEqual([]);
  });

  it("takes a pair back whose second half can't be started", async () => {
    const fleet = await begin({
      canRun: (mid) => (mid === midOf(1) ? () => "no such device" : undefined),
    });
    const pair = {
      parts: [
        { ...SERVER, master: "m0" },
        { ...CLIENT, master: "m1" },
      ],
    };
    await expect(fleet.create("pair", pair)).rejects.toMatchObject({ code: "CONFLICT" });
    await fleet.time.pass(1000);
    expect(fleet.record("pair")).toBeUndefined();
    expect(fleet.member(0).parts()).toEqual([]);
  });

  it("is whole when a client is made whose tunnel is in error: its server may be away", async () => {
    const fleet = await begin();
    fleet.member(1).inError.add("pair/1");
    const pair = {
      parts: [
        { ...SERVER, master: "m0" },
        { ...CLIENT, master: "m1" },
      ],
    };
    const made = await fleet.create("pair", pair);
    expect(made.value.parts).toMatchObject([{ to: null }, { to: null }]);
  });

  it("waits for a client that dialled before its server listened, 10 s at most", async () => {
    const fleet = await begin();
    const pair = {
      parts: [
        { ...SERVER, master: "m0" },
        { ...CLIENT, master: "m1" },
      ],
    };
    const { operations, presence } = fleet.hub();
    fleet.member(1).inError.add("soon/1").add("never/1");
    let isMade = false;
    const making = operations.create(ADMIN, "soon", NewServiceSchema.parse(pair));
    void making.then(() => {
      isMade = true;
    });
    await fleet.time.pass(900);
    expect(presence.reportOf(midOf(1), "soon", 1)?.outcome).toBe("failed");
    expect(isMade).toBe(false);
    const said = presence.reportOf(midOf(1), "soon", 1);
    if (said === undefined) throw new Error("the client's master has said nothing");
    presence.reported(midOf(1), [{ ...said, outcome: "applied", reason: "" }]);
    await fleet.time.pass(1);
    expect(isMade).toBe(true);
    const began = fleet.time.now;
    await fleet.create("never", pair);
    expect(fleet.time.now - began).toBeGreaterThan(9000);
    expect(fleet.time.now - began).toBeLessThan(11_000);
    expect(fleet.record("never")?.parts).toMatchObject([{ to: null }, { to: null }]);
  });

  it("is whole or not at all, whenever its second member is killed", async () => {
    const seen = new Set<string>();
    for (let afterMs = 0; !seen.has("whole"); afterMs += 1) {
      world?.close();
      const fleet = await begin();
      const [first, second] = [fleet.member(0), fleet.member(1)];
      let step = "begun";
      second.refuses = () => {
        step = "asked";
        return undefined;
      };
      const pair = {
        parts: [
          { ...SERVER, master: "m0" },
          { ...CLIENT, master: "m1" },
        ],
      };
      const making = fleet
        .hub()
        .operations.create(ADMIN, "pair", NewServiceSchema.parse(pair))
        .catch(() => undefined);
      await fleet.time.pass(afterMs);
      if (fleet.record("pair") !== undefined) step = "written";
      if (second.order("pair", 1) !== undefined) step = "pushed";
      if (fleet.record("pair")?.parts.every(({ to }) => to === null)) step = "whole";
      seen.add(step);
      second.kill();
      await fleet.time.until(making);
      await fleet.time.pass(30_000);
      const isWhole = fleet.record("pair")?.parts.every(({ to }) => to === null) === true;
      const place = `killed after ${afterMs} ms, when it was ${step}`;
      expect(fleet.record("pair") === undefined || isWhole, place).toBe(true);
      expect(first.parts().length, place).toBe(isWhole ? 1 : 0);
      second.start();
      await fleet.time.pass(30_000);
      expect(second.parts().length, place).toBe(isWhole ? 1 : 0);
      expect(fleet.broken, place).toEqual([]);
    }
    expect([...seen]).toEqual(["begun", "asked", "written", "pushed", "whole"]);
  });

  it("leaves a single part that fails, to be looked at", async () => {
    const fleet = await begin({ canRun: () => () => "no such device" });
    await fleet.create("s", { parts: [SERVER] });
    expect(fleet.record("s")?.parts[0]).toMatchObject({ epoch: 1 });
  });

  it.each([4, 6, 8, 10])(
    "is taken back by the leader when its hub dies after %i ms",
    async (ms) => {
      const fleet = await begin({ hubs: 2 });
      const other = fleet.hubs.find((hub) => hub !== fleet.leader);
      if (other === undefined) throw new Error("no other hub");
      const pair = {
        parts: [
          { ...SERVER, master: "m0" },
          { ...CLIENT, master: "m1" },
        ],
      };
      const creating = other.operations.create(ADMIN, "pair", NewServiceSchema.parse(pair));
      creating.catch(() => undefined);
      await fleet.time.pass(ms);
      other.kill(fleet.network);
      fleet.member(1).kill();
      await fleet.time.pass(30_000);
      const record = fleet.record("pair");
      const isWhole = record?.parts.every(({ to }) => to === null) ?? true;
      expect(isWhole).toBe(true);
      expect(fleet.member(0).parts()).toHaveLength(record === undefined ? 0 : 1);
    },
  );

  it("names every reason when no master fits", async () => {
    const fleet = await begin({ labels: (at) => (at < 3 ? { region: "eu" } : {}) });
    fleet.member(0).kill();
    fleet.member(1).kill();
    await fleet.time.pass(40_000);
    await fleet.time.until(fleet.hub().operations.drain(ADMIN, midOf(2)));
    await fleet.time.pass(100);
    await expect(
      fleet.create("s", { parts: [{ ...SERVER, selector: "region=eu" }] }),
    ).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: "no master can run the server: 3 masters match region=eu, 2 are lost, 1 is draining",
    });
    await expect(
      fleet.create("s", { parts: [{ ...SERVER, selector: "region=us" }] }),
    ).rejects.toMatchObject({ code: "CONFLICT", message: /0 masters match region=us/ });
  });

  it("asks the next master when the best one has no free port", async () => {
    const fleet = await begin({ members: 2 });
    fleet.member(0).refuses = () => "port 80 is held";
    await fleet.create("s", { parts: [{ url: "server://:7000/127.0.0.1:80" }] });
    expect(fleet.record("s")?.parts[0]?.owner).toBe(midOf(1));
  });

  it("spreads services of one name over a label's values", async () => {
    const fleet = await begin({ members: 6, labels: (at) => ({ zone: at < 4 ? "a" : "b" }) });
    for (const at of [1, 2, 3, 4]) {
      await fleet.create(`s${at}`, { alias: `web-${at}`, parts: [{ ...SERVER, spread: "zone" }] });
    }
    const zones = [1, 2, 3, 4].map((at) => {
      const owner = fleet.record(`s${at}`)?.parts[0]?.owner ?? "";
      return fleet.hub().index.members.get(owner)?.value.labels.zone;
    });
    expect(zones.sort()).toEqual(["a", "a", "b", "b"]);
  });

  it("answers after 10 s with a part that is pending when its master does not say a word", async () => {
    const fleet = await begin();
    const creating = fleet.create("s", { parts: [{ ...SERVER, master: "m0" }] });
    // Cut off between its word that it can and the order.
    fleet.store.services.onWrite = () => {
      fleet.network.cut.add(midOf(0));
    };
    const began = fleet.time.now;
    const stored = await creating;
    expect(fleet.time.now - began).toBeLessThan(11_000);
    expect(stored.value.parts[0]?.owner).toBe(midOf(0));
    expect(fleet.serving("s")).toEqual([]);
    fleet.network.cut.clear();
    fleet.member(0).sync();
    await fleet.time.pass(1000);
    expect(fleet.serving("s")).toEqual(["m0"]);
  });
});

describe("move", () => {
  it("stops at the old owner before it starts at the new one, an epoch higher", async () => {
    const fleet = await begin();
    await fleet.create("s", { parts: [{ ...SERVER, master: "m0" }] });
    const moved = await fleet.time.until(
      fleet.hub().operations.move(ADMIN, "s", { to: "m2", force: false }),
    );
    expect(moved.value.parts[0]).toMatchObject({
      owner: midOf(2),
      from: null,
      to: null,
      epoch: 2,
    });
    expect(fleet.serving("s")).toEqual(["m2"]);
  });

  it("gives a pair a new key and its client the server's new address", async () => {
    const fleet = await begin();
    const pair = {
      parts: [
        { ...SERVER, master: "m0" },
        { ...CLIENT, master: "m1" },
      ],
    };
    await fleet.create("pair", pair);
    const before = fleet.record("pair")?.parts.map(({ url }) => keyOf(url));
    await fleet.time.until(
      fleet.hub().operations.move(ADMIN, "pair", { part: "server", to: "m2", force: false }),
    );
    const [server, client] = fleet.record("pair")?.parts ?? [];
    expect(keyOf(server?.url ?? "")).not.toBe(before?.[0]);
    expect(keyOf(server?.url ?? "")).toBe(keyOf(client?.url ?? ""));
    expect(client?.url).toContain(`@10.0.0.3:${tunnelPortOf(server?.url ?? "")}/`);
    expect([server?.epoch, client?.epoch]).toEqual([2, 2]);
    await fleet.time.pass(1000);
    expect(fleet.member(1).order("pair", 1)?.url).toBe(client?.url);
  });

  it("goes back to the old owner when the new one can't run it", async () => {
    const fleet = await begin({
      canRun: (mid) => (mid === midOf(1) ? () => "no such device" : undefined),
    });
    await fleet.create("s", { parts: [{ ...SERVER, master: "m0" }] });
    await expect(
      fleet.time.until(fleet.hub().operations.move(ADMIN, "s", { to: "m1", force: false })),
    ).rejects.toMatchObject({
      code: "CONFLICT",
      message: "master m1 could not run it: it can't; it is back at m0",
    });
    await fleet.time.pass(1000);
    expect(fleet.serving("s")).toEqual(["m0"]);
    expect(fleet.record("s")?.parts[0]).toMatchObject({ epoch: 3, from: null, to: null });
  });

  it("goes back when the server can't listen at the new owner, whose first tries it waits for", async () => {
    const fleet = await begin();
    await fleet.create("s", { parts: [{ ...SERVER, master: "m0" }] });
    fleet.member(1).inError.add("*");
    const began = fleet.time.now;
    await expect(
      fleet.time.until(fleet.hub().operations.move(ADMIN, "s", { to: "m1", force: false })),
    ).rejects.toMatchObject({ code: "CONFLICT" });
    expect(fleet.time.now - began).toBeGreaterThan(5000);
    expect(fleet.serving("s")).toEqual(["m0"]);
  });

  it("waits for a silent owner as long as its TTL, or not at all when forced", async () => {
    const fleet = await begin();
    for (const sid of ["waits", "forced"]) {
      await fleet.create(sid, { parts: [{ ...SERVER, master: "m0" }] });
    }
    fleet.member(0).kill();
    await fleet.time.pass(1000);
    const { operations } = fleet.hub();
    const forced = operations.move(ADMIN, "forced", { to: "m1", force: true });
    const waits = operations.move(ADMIN, "waits", { to: "m1", force: false });
    await fleet.time.until(forced);
    expect(fleet.serving("forced")).toEqual(["m1"]);
    expect((await fleet.time.until(waits)).value.parts[0]?.owner).toBeNull();
    await fleet.time.pass(20_000);
    expect(fleet.serving("waits")).toEqual(["m1"]);
  });

  it("never forces a strict part", async () => {
    const fleet = await begin();
    await fleet.create("s", {
      policy: { failover: "strict" },
      parts: [{ ...SERVER, master: "m0" }],
    });
    await expect(
      fleet.time.until(fleet.hub().operations.move(ADMIN, "s", { to: "m1", force: true })),
    ).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it("lets one of two moves win and tells the other 409", async () => {
    const fleet = await begin({ hubs: 2 });
    await fleet.create("s", { parts: [{ ...SERVER, master: "m0" }] });
    await fleet.time.pass(100);
    const moves = [0, 1].map((at) =>
      fleet.hub(at).operations.move(ADMIN, "s", { to: `m${at + 1}`, force: false }),
    );
    const outcomes = await fleet.time.until(Promise.allSettled(moves));
    const failed = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(failed).toMatchObject([{ reason: { code: "CONFLICT" } }]);
    expect(fleet.serving("s")).toHaveLength(1);
  });

  it("1,000 times: of two moves through two hubs one wins, and epochs rise", async () => {
    const fleet = await begin({ hubs: 2 });
    await fleet.create("s", { parts: [{ ...SERVER, master: "m0" }] });
    await fleet.time.pass(100);
    let [won, lost, epoch] = [0, 0, 1];
    for (let round = 0; round < 1000; round += 1) {
      const owner = fleet.record("s")?.parts[0]?.owner;
      const targets = ["m0", "m1", "m2"].filter((_, at) => midOf(at) !== owner);
      const moves = targets.map((to, at) =>
        fleet.hub(at).operations.move(ADMIN, "s", { to, force: false }),
      );
      for (const outcome of await fleet.time.until(Promise.allSettled(moves))) {
        if (outcome.status === "fulfilled") won += 1;
        else {
          expect(outcome.reason).toMatchObject({ code: "CONFLICT" });
          lost += 1;
        }
      }
      await fleet.time.pass(10);
      const now = fleet.record("s")?.parts[0]?.epoch ?? 0;
      expect(now).toBeGreaterThan(epoch);
      epoch = now;
    }
    expect([won, lost, epoch]).toEqual([1000, 1000, 1001]);
  });

  it.each([0, 3, 6, 9, 12, 15])(
    "is finished by the leader when its hub dies %i ms after it began",
    async (ms) => {
      const fleet = await begin({ hubs: 2 });
      await fleet.create("s", { parts: [{ ...SERVER, master: "m0" }] });
      await fleet.time.pass(100);
      const other = fleet.hubs.find((hub) => hub !== fleet.leader);
      if (other === undefined) throw new Error("no other hub");
      void other.operations.move(ADMIN, "s", { to: "m1", force: false }).catch(() => undefined);
      await fleet.time.pass(ms);
      other.kill(fleet.network);
      await fleet.time.pass(5000);
      expect(fleet.record("s")?.parts[0]).toMatchObject({ from: null, to: null });
      expect(fleet.serving("s")).toHaveLength(1);
    },
  );
});
