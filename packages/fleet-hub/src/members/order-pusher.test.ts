import type {
  Applied,
  Apply,
  PartOrder,
  PartReport,
  ServiceRecord,
} from "@nodepass/fleet-protocol";
import { ServiceError, SILENT_LOGGER } from "@nodepass/model";
import { beforeEach, expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import type { BucketWatcher, FleetStore, Stored } from "../store/fleet-store.ts";
import { createIndex, type LiveIndex } from "../store/memory-index.ts";
import { createPresence, type LivePresence } from "./live-presence.ts";
import { createOrderPusher, type LiveOrderPusher, MAX_FAILURES } from "./order-pusher.ts";

const A = "00000000000000a1";
const B = "00000000000000b1";

function record(owner: string | null, change: Partial<ServiceRecord["parts"][number]> = {}) {
  const made: ServiceRecord = {
    v: 1,
    alias: "a",
    tags: {},
    policy: { failover: "off", ttl: 15, failback: "never" },
    by: "t",
    at: 1,
    detached: false,
    parts: [
      {
        role: "server",
        owner,
        from: null,
        to: null,
        epoch: 1,
        running: true,
        url: "server://:1/:2",
        sel: "",
        home: null,
        adopt: null,
        ...change,
      },
    ],
  };
  return made;
}

const reportOf = ({ sid, part, rev, epoch, gone }: PartOrder): PartReport => ({
  sid,
  part,
  rev,
  epoch,
  outcome: gone ? "released" : "applied",
  reason: "",
  instance: gone ? null : "i",
  running: !gone,
  carried: null,
});

let time: SimulatedTime;
let index: LiveIndex;
let presence: LivePresence;
let pusher: LiveOrderPusher;
let watcher: BucketWatcher<ServiceRecord>;
let sent: { mid: string; at: number; orders: readonly PartOrder[] }[];
let answer: (mid: string, message: Apply) => Promise<Applied>;
let isLeading: boolean;

beforeEach(async () => {
  time = new SimulatedTime();
  const clock = new SimulatedClock(time);
  const store = {
    services: {
      watch: (to: BucketWatcher<ServiceRecord>) => {
        watcher = to;
        return Promise.resolve(() => undefined);
      },
    },
    members: { watch: () => Promise.resolve(() => undefined) },
  };
  // Only watches are asked for.
  index = await createIndex(store as unknown as Pick<FleetStore, "services" | "members">);
  watcher.onRestart();
  watcher.onLoaded(0);
  presence = createPresence(index, clock);
  for (const mid of [A, B]) presence.synced(mid, SYNC(mid));
  sent = [];
  isLeading = false;
  answer = (_, { orders }) => Promise.resolve({ reports: orders.map(reportOf) });
  pusher = createOrderPusher({
    index,
    presence,
    messenger: {
      apply: (mid, message) => {
        sent.push({ mid, at: time.now, orders: message.orders });
        return answer(mid, message);
      },
    },
    leadership: {
      isLeading: () => isLeading,
      isSure: () => isLeading,
      leadingSince: () => undefined,
      leader: () => undefined,
      onChange: () => () => undefined,
    },
    vouchers: { order: (_, order) => order },
    clock,
    logger: SILENT_LOGGER,
    onApplied: () => undefined,
  });
});

const SYNC = (session: string) => ({
  session,
  version: "1",
  name: "n",
  allow: [],
  revision: 0,
  bucket: "",
  parts: [],
  local: 0,
});
const stored = (value: ServiceRecord, revision: number): Stored<ServiceRecord> => ({
  value,
  revision,
});
const summary = () =>
  sent.map(
    ({ mid, orders }) =>
      `${mid === A ? "A" : "B"} ${orders.map(({ rev, gone }) => `${rev}${gone ? " gone" : ""}`).join()}`,
  );

test("a hub pushes what it wrote itself; what others wrote only if it leads", async () => {
  index.wroteService("s", stored(record(A), 1));
  watcher.onRecord("t", stored(record(A), 2), 2);
  await time.run(2000);
  expect(summary()).toEqual(["A 1"]);
  isLeading = true;
  await time.run(3000);
  expect(summary()).toEqual(["A 1", "A 2"]);
  expect(pusher.open()).toBe(0);
});

test("what a member answers is settled, at once or when it says so later", async () => {
  answer = () => Promise.resolve({ reports: [] });
  index.wroteService("s", stored(record(A), 1));
  const settled = pusher.settled("s", 1, 10_000);
  const late = pusher.settled("s", 1, 100);
  await time.run(500);
  expect(await late).toEqual([{ state: "pending", reason: "" }]);
  const [order] = sent[0]?.orders ?? [];
  if (order === undefined) throw new Error("nothing was sent");
  presence.reported(A, [{ ...reportOf(order), outcome: "failed", reason: "no port" }]);
  expect(await settled).toEqual([{ state: "failed", reason: "no port" }]);
  presence.reported(A, [reportOf(order)]);
  expect(await pusher.settled("s", 1, 10)).toEqual([{ state: "applied", reason: "" }]);
});

test("the leader asks again with growing waits, five times, and anew when the record changes", async () => {
  isLeading = true;
  answer = (_, { orders }) =>
    Promise.resolve({
      reports: orders.map((order) => ({ ...reportOf(order), outcome: "failed", reason: "x" })),
    });
  index.wroteService("s", stored(record(A), 1));
  for (let step = 1; step <= 40; step += 1) {
    await time.run(step * 5000);
    // It lives.
    presence.sealedWord(A);
  }
  expect(sent).toHaveLength(MAX_FAILURES);
  const gaps = sent.slice(1).map(({ at }, place) => at - (sent[place]?.at ?? 0));
  for (const [place, gap] of gaps.slice(1).entries()) {
    expect(gap).toBeGreaterThan((gaps[place] ?? 0) * 1.2);
  }
  expect(pusher.open()).toBe(1);
  answer = (_, { orders }) => Promise.resolve({ reports: orders.map(reportOf) });
  index.wroteService("s", stored(record(A), 2));
  await time.run(time.now + 1000);
  expect(sent).toHaveLength(MAX_FAILURES + 1);
  expect(pusher.open()).toBe(0);
});

test("a member that does not answer is asked again for as long as it is there", async () => {
  isLeading = true;
  answer = () => Promise.reject(new ServiceError("UNAVAILABLE", "no answer"));
  index.wroteService("s", stored(record(A), 1));
  for (let step = 1; step <= 60; step += 1) {
    await time.run(step * 5000);
    presence.sealedWord(A);
  }
  const during = sent.length;
  expect(during).toBeGreaterThan(8);
  // Lost: not asked. Back: its sync brings it, so the leader leaves it some time first.
  await time.run(time.now + 60_000);
  expect(sent.length - during).toBeLessThan(4);
});

test("who is to give a part up is told so, with the epoch of the new owner", async () => {
  index.wroteService("s", stored(record(A), 1));
  await time.run(100);
  index.wroteService("s", stored(record(null, { from: A, to: B }), 2));
  await time.run(200);
  index.wroteService("s", stored(record(B, { epoch: 2 }), 3));
  await time.run(300);
  // A has said `released` already, so it is not told once more.
  expect(summary()).toEqual(["A 1", "A 2 gone", "B 3"]);
  index.wroteService("s", stored(record(A, { epoch: 3 }), 4));
  await time.run(400);
  expect(summary().slice(3).sort()).toEqual(["A 4", "B 4 gone"]);
  expect(sent.find(({ mid, at }) => mid === B && at >= 300)?.orders[0]?.epoch).toBe(3);
  index.removedService("s", 5);
  await time.run(500);
  expect(summary().at(-1)).toBe("A 5 gone");
});

test("who claims another's part, or the one that it had, learns nothing of it", async () => {
  isLeading = true;
  index.wroteService("s", stored(record(A), 1));
  await time.run(100);
  const taken = record(B, { epoch: 2, url: "server://newkey@:1/10.0.0.7:2" });
  index.wroteService("s", stored({ ...taken, alias: "secret", tags: { a: "b" } }, 2));
  await time.run(200);
  const claim: PartReport = { ...reportOf(sent[0]?.orders[0] as PartOrder), rev: 9, epoch: 9 };
  presence.synced(A, { ...SYNC("again"), parts: [{ ...claim, outcome: "applied" }] });
  await time.run(9000);
  const told = sent.filter(({ mid, orders }) => mid === A && orders.some(({ gone }) => gone));
  expect(told.length).toBeGreaterThan(0);
  for (const { orders } of told) {
    expect(JSON.stringify(orders)).not.toMatch(/newkey|10\.0\.0\.7|secret/);
  }
});

test("a record that the store has lost is no order to anybody", async () => {
  isLeading = true;
  index.wroteService("s", stored(record(A), 7));
  await time.run(100);
  watcher.onRestart();
  watcher.onLoaded(0);
  await time.run(5000);
  expect(summary()).toEqual(["A 7"]);
  expect(index.services.size).toBe(0);
});

test("what changes while a member is being told is told after it, once", async () => {
  let release = (): void => undefined;
  answer = (_, { orders }) =>
    new Promise((resolve) => {
      release = () => resolve({ reports: orders.map(reportOf) });
    });
  index.wroteService("s", stored(record(A), 1));
  index.wroteService("t", stored(record(A), 2));
  index.wroteService("s", stored(record(A), 3));
  await time.run(100);
  expect(summary()).toEqual(["A 1"]);
  release();
  await time.run(200);
  expect(summary()).toEqual(["A 1", "A 3,2"]);
  release();
  await time.run(300);
  expect(pusher.open()).toBe(0);
});

test("a sync brings the full set, so nothing is sent besides it", async () => {
  isLeading = true;
  watcher.onRecord("s", stored(record(A), 1), 1);
  await time.run(100);
  sent.length = 0;
  answer = () => Promise.reject(new ServiceError("UNAVAILABLE", "no answer"));
  watcher.onRecord("s", stored(record(A), 2), 2);
  const before = sent.length;
  presence.synced(A, { ...SYNC("again"), parts: [] });
  await time.run(2500);
  expect(sent).toHaveLength(before);
  // If nothing is heard of what it was given, it is told.
  await time.run(6000);
  expect(sent.length).toBeGreaterThan(before);
});
