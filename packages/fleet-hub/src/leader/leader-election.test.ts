import type { LeaderRecord } from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { type FleetStore, StoreError } from "../store/fleet-store.ts";
import { CONFIRMED_MS, type Election, LEADER_TTL_MS, startElection } from "./leader-election.ts";

/** A key with revisions, as the engine has it. */
class Key {
  value: LeaderRecord | undefined;
  revision = 0;
  /** As an engine whose disk is full: it reads, and answers no write. */
  isFull = false;

  write(value: LeaderRecord, expected: number | undefined): number | Promise<number> {
    if (this.isFull) return new Promise(() => undefined);
    const found = this.value === undefined ? undefined : this.revision;
    if (found !== expected) throw new StoreError("CONFLICT", "changed");
    this.value = value;
    this.revision += 1;
    return this.revision;
  }
}

interface Road {
  /** ms that a request is under way, and its answer. */
  delay(): number;
  /** Whether this message is lost; the asker hears nothing for 5 s. */
  isLost(): boolean;
}

/** How one hub sees the key, over a road with delays and losses. */
function recordsOver(key: Key, clock: SimulatedClock, world: SimulatedClock, road: Road) {
  const call = async <Result>(work: () => Result | Promise<Result>): Promise<Result> => {
    const answered = (async () => {
      // The engine's side goes on while the hub is frozen.
      await world.wait(road.delay());
      if (road.isLost()) return await new Promise<never>(() => undefined);
      const outcome = Promise.resolve().then(work);
      outcome.catch(() => undefined);
      await clock.wait(road.delay());
      if (road.isLost()) return await new Promise<never>(() => undefined);
      return outcome;
    })();
    const late = clock.wait(5000).then(() => {
      throw new StoreError("UNAVAILABLE", "no answer");
    });
    answered.catch(() => undefined);
    late.catch(() => undefined);
    return Promise.race([answered, late]);
  };
  const records: FleetStore["leader"] = {
    get: () =>
      call(() =>
        key.value === undefined ? undefined : { value: key.value, revision: key.revision },
      ),
    create: (_, value) => call(() => key.write(value, undefined)),
    update: (_, value, revision) => call(() => key.write(value, revision)),
    revision: () => call(() => key.revision),
  };
  return records;
}

interface Hub {
  readonly name: string;
  readonly clock: SimulatedClock;
  election: Election;
}

/** @param isAlone the engine is one server */
function simulation(road: Road, isAlone = false) {
  const time = new SimulatedTime();
  const world = new SimulatedClock(time);
  const key = new Key();
  const start = (name: string, nonce = name, ttlMs = LEADER_TTL_MS): Hub => {
    const clock = new SimulatedClock(time);
    const records = recordsOver(key, clock, world, road);
    const logger = SILENT_LOGGER;
    const election = startElection({
      hub: name,
      nonce,
      records,
      clock,
      logger,
      ttlMs,
      readsAreLast: () => Promise.resolve(isAlone),
    });
    return { name, clock, election };
  };
  return { time, world, key, start };
}

const GOOD_ROAD: Road = { delay: () => 2, isLost: () => false };

test("the first hub leads at once, and the others know who does", async () => {
  const { time, start } = simulation(GOOD_ROAD);
  const a = start("a");
  await time.run(100);
  const b = start("b");
  await time.run(10_000);
  expect(a.election.isLeading()).toBe(true);
  expect(a.election.leadingSince()).toBeLessThan(100);
  expect(b.election.isLeading()).toBe(false);
  expect(b.election.leadingSince()).toBeUndefined();
  expect(b.election.leader()).toBe("a");
});

test("another takes the lead when the leader is gone without a word, not before the TTL and a second", async () => {
  const { time, start } = simulation(GOOD_ROAD);
  const a = start("a");
  await time.run(100);
  const b = start("b");
  const turns: boolean[] = [];
  b.election.onChange((leading) => turns.push(leading));
  await time.run(20_000);
  a.clock.frozenUntil = Number.POSITIVE_INFINITY;
  const ended = time.now;
  await time.run(ended + LEADER_TTL_MS - 1300);
  expect(b.election.isLeading()).toBe(false);
  await time.run(ended + LEADER_TTL_MS + 4000);
  expect(b.election.isLeading()).toBe(true);
  expect(turns).toEqual([true]);
});

test("a leader that ends gives the lead up: another has it at once, and never both", async () => {
  const { time, start } = simulation(GOOD_ROAD);
  const a = start("a");
  await time.run(100);
  const b = start("b");
  const c = start("c");
  await time.run(20_000);
  // In the midst of a renewal, too: the next is due some time within these.
  for (const [leaving, wait] of [
    [a, 2],
    [b.election.isLeading() ? b : c, 1251],
  ] as const) {
    const leader = [leaving, b, c].find(({ election }) => election.isLeading());
    if (leader === undefined) throw new Error("nobody leads");
    await time.run(time.now + wait);
    void leader.election.close();
    expect(leader.election.isLeading()).toBe(false);
    const ended = time.now;
    const left = [b, c].filter((one) => one !== leader);
    await time.run(ended + 500, () => {
      expect(left.filter(({ election }) => election.isLeading()).length).toBeLessThan(2);
    });
    const now = left.filter(({ election }) => election.isLeading());
    expect(now).toHaveLength(1);
    expect(now[0]?.election.leader()).toBe(now[0]?.name);
  }
});

test("one that can't say that it ends is waited for by nobody longer than a second", async () => {
  const road = { delay: () => 2, isLost: () => false };
  const { time, start } = simulation(road);
  const a = start("a");
  await time.run(1000);
  road.isLost = () => true;
  let isClosed = false;
  void a.election.close().then(() => {
    isClosed = true;
  });
  await time.run(time.now + 900);
  expect(isClosed).toBe(false);
  await time.run(time.now + 200);
  expect(isClosed).toBe(true);
});

test("a hub that was frozen does not lead when it wakes", async () => {
  const { time, start } = simulation(GOOD_ROAD);
  const a = start("a");
  await time.run(100);
  const b = start("b");
  await time.run(20_000);
  a.clock.frozenUntil = time.now + 30_000;
  const wakes = a.clock.frozenUntil;
  await time.run(wakes - 1);
  expect(b.election.isLeading()).toBe(true);
  // Before anything of it has run: only the clock has gone on.
  time.now = wakes;
  expect(a.election.isLeading()).toBe(false);
  await time.run(wakes + 10_000);
  expect([a, b].map(({ election }) => election.isLeading())).toEqual([false, true]);
});

test("a former leader that finds its own nonce leads again at once, with a gap", async () => {
  let isCut = false;
  const { time, start } = simulation({ delay: () => 2, isLost: () => isCut });
  const a = start("a");
  await time.run(20_000);
  const since = a.election.leadingSince();
  isCut = true;
  await time.run(40_000);
  expect(a.election.isLeading()).toBe(false);
  isCut = false;
  await time.run(47_000);
  expect(a.election.isLeading()).toBe(true);
  expect(a.election.leadingSince()).toBeGreaterThan(since ?? 0);
});

test("a write whose answer comes after its time makes no leader, however often", async () => {
  let delay = 2;
  const { time, key, start } = simulation({ delay: () => delay, isLost: () => false });
  const a = start("a", "a", 2000);
  await time.run(20_000);
  // There in time for the engine; the answer is later than the TTL after it was sent.
  delay = 1200;
  const turns: boolean[] = [];
  a.election.onChange((now) => turns.push(now));
  const before = key.revision;
  await time.run(80_000);
  expect(key.revision).toBeGreaterThan(before + 3);
  expect(turns).toEqual([false]);
});

test("while one server takes no write its leader leads on, and ends when another has written", async () => {
  const { time, key, start } = simulation(GOOD_ROAD, true);
  const a = start("a");
  await time.run(100);
  const b = start("b");
  await time.run(20_000);
  const since = a.election.leadingSince();
  const turns: boolean[] = [];
  a.election.onChange((leading) => turns.push(leading));
  key.isFull = true;
  await time.run(120_000, () => expect(b.election.isLeading()).toBe(false));
  expect(turns).toEqual([]);
  expect(a.election.leadingSince()).toBe(since);
  // Its record was written last, and again.
  key.isFull = false;
  await time.run(140_000);
  expect([a, b].map(({ election }) => election.isLeading()).filter(Boolean)).toHaveLength(1);
  expect(a.election.isLeading() || b.election.isLeading()).toBe(true);
});

test("of a leader that can't write another has the lead: it ends within its look's time", async () => {
  const { time, key, start } = simulation(GOOD_ROAD, true);
  const a = start("a");
  await time.run(20_000);
  key.isFull = true;
  expect(a.election.isSure()).toBe(true);
  await time.run(60_000);
  expect(a.election.isLeading()).toBe(true);
  expect(a.election.isSure()).toBe(false);
  key.value = { v: 1, hub: "b", nonce: "b" };
  key.revision += 1;
  const written = time.now;
  await time.run(written + CONFIRMED_MS);
  expect(a.election.isLeading()).toBe(false);
  // And it does not find itself again by looking.
  await time.run(written + 60_000, () => expect(a.election.isLeading()).toBe(false));
});

test("another led, and gave it up, between two looks: what follows is a lead of its own", async () => {
  // At any moment between its writes, each of which waits 5 s for its answer.
  for (let offset = 0; offset < 5200; offset += 130) {
    const { time, key, start } = simulation(GOOD_ROAD, true);
    const a = start("a");
    await time.run(20_000);
    key.isFull = true;
    await time.run(40_000 + offset);
    expect(a.election.leadingSince()).toBeLessThan(100);
    // As one that is quick would have written it.
    key.value = { v: 1, hub: "b", nonce: "b", resigned: true };
    key.revision += 1;
    const written = time.now;
    key.isFull = false;
    await time.run(written + 10_000, () => {
      if (!a.election.isSure()) return;
      expect(a.election.leadingSince(), `offset ${offset}`).toBeGreaterThanOrEqual(written);
    });
    expect(a.election.isSure()).toBe(true);
  }
});

test("while several servers take no write nobody leads", async () => {
  const { time, key, start } = simulation(GOOD_ROAD, false);
  const a = start("a");
  await time.run(20_000);
  key.isFull = true;
  await time.run(20_000 + LEADER_TTL_MS);
  expect(a.election.isLeading()).toBe(false);
  await time.run(120_000, () => expect(a.election.isLeading()).toBe(false));
});

/** Small, fast, and the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  "never two lead at once: 4 hubs, slow and losing roads, frozen and restarted, seed %i",
  async (seed) => {
    const random = randomOf(seed);
    const road: Road = {
      delay: () => (random() < 0.1 ? random() * 9000 : random() * 300),
      isLost: () => random() < 0.08,
    };
    const { time, start } = simulation(road);
    const hubs = ["a", "b", "c", "d"].map((name) => start(name));
    let led = 0;
    const check = () => {
      const leading = hubs.filter(({ clock, election }) => !clock.isFrozen && election.isLeading());
      if (leading.length > 0) led += 1;
      expect(leading.map(({ name }) => name).length, `at ${time.now} ms`).toBeLessThanOrEqual(1);
    };
    for (let round = 0; round < 40; round += 1) {
      await time.run(time.now + random() * 10_000, check);
      const at = Math.floor(random() * hubs.length);
      const hub = hubs[at];
      if (hub === undefined) continue;
      if (random() < 0.6) hub.clock.frozenUntil = time.now + random() * 15_000;
      else {
        void hub.election.close();
        hubs[at] = start(hub.name, `${hub.name}${round}`);
      }
    }
    expect(led).toBeGreaterThan(0);
    for (const { election } of hubs) void election.close();
  },
);

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  "of two that lead, as the disk was full, one at most is sure, and the later has not led for as long as a look counts, seed %i",
  async (seed) => {
    const random = randomOf(seed);
    const road: Road = {
      delay: () => (random() < 0.05 ? random() * 9000 : random() * 100),
      isLost: () => random() < 0.04,
    };
    const { time, key, start } = simulation(road, true);
    const hubs = ["a", "b", "c"].map((name) => start(name));
    let ledWhileFull = 0;
    /** Up to when each has been seen to lead by its writes. */
    const sureAt = new Map<Hub, number>();
    const check = () => {
      const sure = hubs.filter(({ clock, election }) => !clock.isFrozen && election.isSure());
      expect(sure.length, `at ${time.now} ms`).toBeLessThanOrEqual(1);
      for (const hub of sure) {
        sureAt.set(hub, time.now);
        // No other has led by its writes in what it takes for its own time.
        const others = [...sureAt].filter(([other]) => other !== hub).map(([, at]) => at);
        const since = hub.election.leadingSince() ?? Number.NEGATIVE_INFINITY;
        expect(Math.max(0, ...others), `at ${time.now} ms`).toBeLessThanOrEqual(since);
      }
      const leading = hubs.filter(({ clock, election }) => !clock.isFrozen && election.isLeading());
      if (key.isFull && leading.length > 0) ledWhileFull += 1;
      if (leading.length < 2) return;
      expect(leading).toHaveLength(2);
      // The one that can't know of the other gives nothing to anybody new.
      const doubting = leading.filter((hub) => !sure.includes(hub));
      expect(doubting.length, `at ${time.now} ms`).toBeGreaterThanOrEqual(1);
      const ages = leading.map(({ election }) => time.now - (election.leadingSince() ?? 0));
      expect(Math.min(...ages), `at ${time.now} ms`).toBeLessThan(CONFIRMED_MS);
    };
    for (let round = 0; round < 40; round += 1) {
      await time.run(time.now + random() * 15_000, check);
      key.isFull = random() < 0.5;
      const at = Math.floor(random() * hubs.length);
      const hub = hubs[at];
      if (hub === undefined) continue;
      if (random() < 0.5) hub.clock.frozenUntil = time.now + random() * 15_000;
      else if (random() < 0.3) {
        void hub.election.close();
        hubs[at] = start(hub.name, `${hub.name}${round}`);
      }
    }
    expect(ledWhileFull).toBeGreaterThan(0);
    for (const { election } of hubs) void election.close();
  },
);
