import fc from "fast-check";
import { ADMIN, World } from "./world.ts";

/** One thing that goes wrong, or that somebody asks for; `wait` ms after the one before. */
export type Happening =
  | { readonly do: "kill" | "start"; readonly member: number; readonly wait: number }
  | { readonly do: "cut"; readonly member: number; readonly ms: number; readonly wait: number }
  | { readonly do: "freeze"; readonly member: number; readonly ms: number; readonly wait: number }
  | {
      readonly do: "cutHub" | "freezeHub";
      readonly hub: number;
      readonly ms: number;
      readonly wait: number;
    }
  | { readonly do: "killHub"; readonly hub: number; readonly wait: number }
  | { readonly do: "fill"; readonly ms: number; readonly wait: number }
  | {
      readonly do: "policy";
      readonly hub: number;
      readonly service: number;
      readonly failover: "off" | "serve" | "strict";
      readonly ttl: number;
      readonly wait: number;
    }
  | {
      readonly do: "move";
      readonly hub: number;
      readonly service: number;
      readonly to: number;
      readonly force: boolean;
      readonly wait: number;
    };

const MEMBERS = 5;
const HUBS = 3;
const SERVICES = ["strict", "strict2", "pair", "serve"] as const;

const member = fc.nat(MEMBERS - 1);
const hub = fc.nat(HUBS - 1);
const wait = fc.integer({ min: 0, max: 12_000 });
const ms = fc.integer({ min: 100, max: 40_000 });
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ do: fc.constantFrom("kill" as const, "start" as const), member, wait }),
  fc.record({ do: fc.constantFrom("cut" as const, "freeze" as const), member, ms, wait }),
  fc.record({ do: fc.constantFrom("cutHub" as const, "freezeHub" as const), hub, ms, wait }),
  fc.record({ do: fc.constant("killHub" as const), hub, wait }),
  fc.record({ do: fc.constant("fill" as const), ms, wait }),
  fc.record({
    do: fc.constant("policy" as const),
    hub,
    service: fc.nat(SERVICES.length - 1),
    failover: fc.constantFrom(
      "off" as const,
      "serve" as const,
      "strict" as const,
      "strict" as const,
    ),
    ttl: fc.integer({ min: 3, max: 30 }),
    wait,
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("move" as const),
      hub,
      service: fc.nat(SERVICES.length - 1),
      to: member,
      force: fc.boolean(),
      wait,
    }),
  },
);

/** Small numbers from a seed: each delay of a world comes from here, so that a failure can be seen again. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** A fleet with services of all policies, to which all this happens; every delay comes from the seed. */
export async function live(seed: number, events: readonly Happening[]): Promise<World> {
  const random = randomOf(seed);
  // Mostly quick, now and then very late.
  const delay = (most: number) => () => (random() < 0.03 ? random() * most : 1 + random() * 20);
  const world = await World.start({
    hubs: HUBS,
    members: MEMBERS,
    netDelay: delay(3000),
    storeDelay: delay(4000),
    // Beyond what a leader may be behind, at times: then it must say nothing.
    watchLag: delay(9000),
    canRun: () => () => (random() < 0.05 ? "it can't" : undefined),
  });
  await world.time.pass(20_000);
  const server = { url: "server://0.0.0.0:auto/127.0.0.1:8080" };
  const client = { url: "client://auto/127.0.0.1:80" };
  const strict = { failover: "strict", ttl: 10, failback: "healthy" };
  for (const [sid, service] of [
    ["strict", { policy: strict, parts: [server] }],
    ["strict2", { policy: { ...strict, ttl: 5 }, parts: [server] }],
    ["pair", { policy: strict, parts: [server, client] }],
    ["serve", { policy: { ...strict, failover: "serve" }, parts: [server, client] }],
  ] as const) {
    // A start may fail: then it is not there, and that is one more case.
    await world.create(sid, service).catch(() => undefined);
  }
  for (const one of events) {
    await world.time.pass(one.wait);
    await happen(world, one);
  }
  return world;
}

async function happen(world: World, one: Happening): Promise<void> {
  switch (one.do) {
    case "kill":
      world.member(one.member).kill();
      break;
    case "start":
      world.member(one.member).start();
      break;
    case "cut":
      world.network.cutOff(world.member(one.member).mid, one.ms);
      break;
    case "freeze":
      world.member(one.member).clock.freeze(one.ms);
      break;
    case "cutHub":
      world.network.cutOff(world.hub(one.hub).id, one.ms);
      break;
    case "freezeHub":
      world.hub(one.hub).clock.freeze(one.ms);
      break;
    case "killHub": {
      const { hubs } = world;
      const [victim] = hubs.splice(one.hub, 1);
      victim?.kill(world.network);
      await world.addHub();
      break;
    }
    case "fill":
      world.store.disk.isFull = true;
      world.time.after(one.ms, () => {
        world.store.disk.isFull = false;
      });
      break;
    case "policy": {
      const { failover, ttl } = one;
      const sid = SERVICES[one.service] ?? "strict";
      const { operations } = world.hub(one.hub);
      const changed = operations.change(ADMIN, sid, { policy: { failover, ttl } }, undefined);
      changed.catch(() => undefined);
      break;
    }
    case "move": {
      const { to, force } = one;
      const sid = SERVICES[one.service] ?? "strict";
      const part = sid === "pair" || sid === "serve" ? "server" : undefined;
      const moved = world
        .hub(one.hub)
        .operations.move(ADMIN, sid, { part, to: `m${to}`, force: force && sid === "serve" });
      // Refused or not: what must hold holds.
      moved.catch(() => undefined);
      break;
    }
  }
}

/** All are well again: everything is to run, each in one place. */
export async function heal(world: World): Promise<void> {
  world.network.cut.clear();
  world.store.disk.isFull = false;
  for (const one of world.members) {
    one.start();
    one.sync();
  }
  await world.time.pass(60_000);
  for (const hub of world.hubs) hub.operations.resumeFailover(ADMIN);
  await world.time.pass(120_000);
}

/** What is not settled, or not served by its owner and nobody else. */
export function unwell(world: World): readonly object[] {
  return world.store.services.keys().flatMap((sid) =>
    (world.record(sid)?.parts ?? []).flatMap((part, at): readonly object[] => {
      const { owner, from, to } = part;
      if (from !== null || to !== null) return [{ sid, at, owner, from, to }];
      // What its owner said it can't start is not tried for ever.
      if (world.hub().presence.report(sid, at)?.outcome === "failed") return [];
      const serving = world.serving(sid, at);
      const isWell = serving.length === 1 && serving[0] === world.byMid(owner).name;
      return isWell ? [] : [{ sid, at, owner, serving }];
    }),
  );
}
