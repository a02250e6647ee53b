import { beforeEach, expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { createPresence, type LivePresence } from "../members/live-presence.ts";
import { type HeartbeatWatch, watchHeartbeats } from "./duplicates.ts";

const MID = "00000000000000a1";
const sync = (session: string) => ({
  session,
  version: "1",
  name: "n",
  allow: [],
  revision: 0,
  bucket: "",
  parts: [],
  local: 0,
});
const MEMBER = {
  value: {
    ...{ v: 1 as const, name: "n", labels: {}, address: "", nkey: "U", box: new Uint8Array(32) },
    ...{ draining: false, joined: 0, evicted: false },
  },
  revision: 1,
};
const heartbeat = (s: string) => ({
  s,
  r: 0,
  n: [0, 0, 0] as [number, number, number],
  d: 0,
  c: 0,
  m: 0,
  t: [0, 0, 0, 0] as [number, number, number, number],
});

let time: SimulatedTime;
let presence: LivePresence;
let watch: HeartbeatWatch;
let told: string[];
let isThere: boolean;
let alarms: string[];

beforeEach(() => {
  time = new SimulatedTime();
  const clock = new SimulatedClock(time);
  const index = { members: new Map([[MID, MEMBER]]), services: new Map(), ownedBy: () => [] };
  presence = createPresence(index, clock);
  told = [];
  alarms = [];
  isThere = true;
  watch = watchHeartbeats({
    index,
    presence,
    outbox: {
      evict: (_, { session }) => told.push(`evict ${session}`),
      resync: (_, { session }) => told.push(`resync ${session}`),
      isThere: () => Promise.resolve(isThere),
    },
    runs: () => [],
    leadership: {
      isLeading: () => true,
      isSure: () => true,
      leadingSince: () => 0,
      leader: () => undefined,
      onChange: () => () => undefined,
    },
    news: {
      alarm: (_alarm, _raised, text) => {
        alarms.push(text);
      },
      failover: () => undefined,
      raised: () => [],
      isRaised: () => false,
      stuck: () => undefined,
      on: () => () => undefined,
      close: () => undefined,
    },
    clock,
  });
});

const hear = (session: string) =>
  watch.heard(MID, session, presence.heartbeat(MID, heartbeat(session)));

test("heartbeats with processes that somebody makes up cost a few words at most", async () => {
  for (let at = 0; at < 10_000; at += 1) hear(at.toString(16).padStart(16, "0"));
  await time.run(2000);
  expect(told.length).toBeLessThanOrEqual(4);
  expect(told.length).toBeGreaterThan(0);
  watch.close();
});

test("one master that runs twice is one", async () => {
  presence.synced(MID, sync("s1"));
  presence.synced(MID, sync("s2"));
  await time.run(3000);
  hear("s1");
  await time.run(5100);
  expect(alarms).toEqual([`1 master runs twice with one identity: ${MID}`]);
  watch.close();
});

test("a second process is sent away when the one with the seat answers", async () => {
  presence.synced(MID, sync("s1"));
  presence.synced(MID, sync("s2"));
  await time.run(3000);
  hear("s1");
  await time.run(3100);
  expect(told).toEqual(["evict s1"]);
  expect(presence.isEvicted(MID, "s1")).toBe(true);
  watch.close();
});

test("a sync that was kept and brought again sends nobody away: its process does not answer", async () => {
  presence.synced(MID, sync("s2"));
  presence.synced(MID, sync("s1"));
  isThere = false;
  await time.run(3000);
  hear("s2");
  await time.run(9000);
  expect(presence.isEvicted(MID, "s2")).toBe(false);
  hear("s2");
  await time.run(12_000);
  expect(told).toEqual(["resync s2"]);
  watch.close();
});
