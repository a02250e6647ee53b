import { SILENT_LOGGER } from "@nodepass/model";
import { afterEach, describe, expect, it } from "vitest";
import { createAuditor } from "../../src/access/store-auditor.ts";
import { createMasters } from "../../src/facade/masters.ts";
import { partTwins } from "../../src/members/part-twins.ts";
import { claimName, releaseName } from "../../src/store/claim-name.ts";
import { StoreError } from "../../src/store/fleet-store.ts";
import { MemoryBucket } from "../support/sim/memory-store.ts";
import { ADMIN, midOf, World, type WorldOptions } from "../support/sim/world.ts";

const SERVER = { url: "server://0.0.0.0:auto/127.0.0.1:80" };

let world: World | undefined;
const begin = async (options: WorldOptions = {}) => {
  world = await World.start({ hubs: 2, members: 2, ...options });
  return world;
};
afterEach(() => {
  expect(world?.broken ?? []).toEqual([]);
  world?.close();
  world = undefined;
});

/** The sids that have an alias, in the store. */
const bearers = (fleet: World, alias: string) =>
  fleet.store.services.keys().filter((sid) => fleet.record(sid)?.alias === alias);

describe("one alias that two hubs give at once", () => {
  it("1,000 times: to two new services, one gets it, and of the other nothing is left", async () => {
    // Watches tell later than the other hub writes.
    const fleet = await begin({ watchLag: () => 20 });
    let lost = 0;
    for (let round = 0; round < 1000; round += 1) {
      const alias = `a${round}`;
      const made = [0, 1].map((at) =>
        fleet.hub(at).operations.create(ADMIN, `s${at}-${round}`, {
          ...{ alias, tags: {}, policy: { failover: "off", ttl: 15, failback: "never" } },
          parts: [{ ...SERVER, master: `m${at}`, running: true }],
        }),
      );
      const outcomes = await fleet.time.until(Promise.allSettled(made));
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        lost += 1;
        expect(outcome.reason).toMatchObject({ code: "CONFLICT" });
      }
      const [sid, ...others] = bearers(fleet, alias);
      expect(others).toEqual([]);
      if (sid === undefined) throw new Error(`nobody has ${alias}`);
      await fleet.time.until(fleet.hub().operations.remove(ADMIN, sid, undefined, false));
      await fleet.time.pass(50);
    }
    expect(lost).toBe(1000);
    expect(fleet.store.services.keys()).toEqual([]);
    expect(fleet.store.names.keys()).toEqual([]);
    await fleet.time.pass(10_000);
    expect([0, 1].flatMap((at) => fleet.member(at).parts())).toEqual([]);
  }, 60_000);

  it("to two that are there: one gets it, the other keeps its own, which it may give back", async () => {
    const fleet = await begin({ watchLag: () => 20 });
    for (const at of [0, 1]) {
      await fleet.create(`s${at}`, { alias: `own${at}`, parts: [{ ...SERVER, master: `m${at}` }] });
    }
    await fleet.time.pass(100);
    for (let round = 0; round < 50; round += 1) {
      const changes = [0, 1].map((at) =>
        fleet.hub(at).operations.change(ADMIN, `s${at}`, { alias: "web" }, undefined),
      );
      const outcomes = await fleet.time.until(Promise.allSettled(changes));
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
      expect(outcomes[1 - winner]).toMatchObject({
        reason: { code: "CONFLICT", message: `service s${winner} has the alias web already` },
      });
      expect(bearers(fleet, "web")).toEqual([`s${winner}`]);
      expect(bearers(fleet, `own${1 - winner}`)).toEqual([`s${1 - winner}`]);
      await fleet.time.pass(100);
      const back = { alias: `own${winner}` };
      await fleet.time.until(fleet.hub().operations.change(ADMIN, `s${winner}`, back, undefined));
      await fleet.time.pass(100);
    }
  });

  it("to a local instance that is adopted: it goes on under a name that is a little longer", async () => {
    const fleet = await begin({ watchLag: () => 20 });
    const url = "server://k@0.0.0.0:9100/127.0.0.1:80";
    fleet.member(0).local.set("a1b2c3d4", { url, alias: "web" });
    const [made, adopted] = await fleet.time.until(
      Promise.allSettled([
        fleet.create("made", { alias: "web", parts: [{ ...SERVER, master: "m1" }] }),
        fleet.hub(1).operations.adopt(ADMIN, "adopted", midOf(0), "a1b2c3d4"),
      ]),
    );
    expect(adopted?.status).toBe("fulfilled");
    expect(fleet.serving("adopted")).toEqual(["m0"]);
    const aliases = ["made", "adopted"].map((sid) => fleet.record(sid)?.alias);
    expect(aliases).toEqual(
      made?.status === "fulfilled" ? ["web", "web-adop"] : [undefined, "web"],
    );
  });
});

describe("a master's name", () => {
  const nameOf = (fleet: World, at: number) => fleet.store.members.peek(midOf(at))?.value.name;

  it("leaves no claim behind when it is another, and when its master is removed", async () => {
    const fleet = await begin();
    const { store, index, presence, clock } = fleet.hub();
    const masters = createMasters({
      ...{ store, index, presence, clock, logger: SILENT_LOGGER },
      messenger: { evict: () => undefined },
      operations: { leave: () => Promise.resolve() },
      control: { revoke: () => Promise.resolve() },
      audit: createAuditor(store, clock, SILENT_LOGGER),
    });
    const call = (name: string) => masters.changeMaster(ADMIN, midOf(0), { name });
    const claims = [];
    for (const name of ["edge", "core", "core", "edge"]) {
      await fleet.time.until(call(name));
      await fleet.time.pass(50);
      claims.push(...fleet.store.names.keys());
    }
    const [edge, core] = claims;
    expect(edge).not.toBe(core);
    expect(claims).toEqual([edge, core, core, edge]);
    await fleet.time.until(masters.removeMaster(ADMIN, midOf(0), { stop: false }));
    await fleet.time.pass(50);
    expect(fleet.store.names.keys()).toEqual([]);
  });

  it("that two joined with is one's, and the audit has what the hub calls the other", async () => {
    const fleet = await begin();
    const { store, index, election, clock } = fleet.leader;
    const found = fleet.store.members.peek(midOf(1));
    if (found === undefined) throw new Error("no member");
    const twin = { ...found.value, name: "m0", joined: found.value.joined + 1 };
    await fleet.time.until(store.members.update(midOf(1), twin, found.revision));
    await fleet.time.pass(50);
    const audit = createAuditor(store, clock, SILENT_LOGGER);
    let lead: (leads: boolean) => void = () => undefined;
    const leadership = {
      ...election,
      onChange: (listener: (leads: boolean) => void) => {
        lead = listener;
        return () => undefined;
      },
    };
    const end = partTwins({ index, store, leadership, audit, logger: SILENT_LOGGER });
    lead(true);
    await fleet.time.pass(50);
    end();
    const name = `m0-${midOf(1).slice(0, 4)}`;
    expect([0, 1].map((at) => nameOf(fleet, at))).toEqual(["m0", name]);
    const action = {
      ...{ token: "hub", action: "master.change", object: midOf(1) },
      detail: `name=${name}: a master that joined before it has the name m0`,
    };
    expect(fleet.store.audited).toMatchObject([
      { ...action, outcome: "intended", after: null },
      { ...action, outcome: "done", after: String(fleet.store.members.peek(midOf(1))?.revision) },
    ]);
  });
});

describe("a claim of a name", () => {
  it("is one owner's, however reads and writes overtake each other", async () => {
    let wins = 0;
    for (let seed = 1; seed <= 300; seed += 1) {
      let state = seed;
      const random = () => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      const cross = async () => {
        for (let left = Math.floor(random() * 6); left > 0; left -= 1) await Promise.resolve();
      };
      const names = new MemoryBucket<{ v: 1; owner: string }>().seenBy({
        ...{ cross, lag: () => 0, after: () => undefined },
      });
      const bears = new Set<string>();
      const having = new Set<string>();
      const life = async (owner: string) => {
        for (let round = 0; round < 6; round += 1) {
          await cross();
          bears.add(owner);
          const other = await claimName(names, "alias", "web", owner, async (one) => {
            await cross();
            return bears.has(one);
          }).catch((error: unknown) => {
            expect(error).toBeInstanceOf(StoreError);
            return "many";
          });
          if (other === undefined) {
            // It is its as long as it bears it; whoever else has written it learns that it is not his.
            having.add(owner);
            wins += 1;
            expect([...having]).toEqual([owner]);
            await cross();
            await cross();
          }
          having.delete(owner);
          bears.delete(owner);
          if (random() < 0.5) {
            await releaseName(names, "alias", "web", owner, async (one) => {
              await cross();
              return bears.has(one);
            }).catch((error: unknown) => {
              expect(error).toBeInstanceOf(StoreError);
            });
          }
        }
      };
      await Promise.all(["a", "b", "c"].map((owner) => life(owner)));
    }
    expect(wins).toBeGreaterThan(1000);
  });
});
