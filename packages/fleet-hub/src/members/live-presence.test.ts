import type { Heartbeat, MemberRecord, PartReport, Sync } from "@nodepass/fleet-protocol";
import { beforeEach, expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import type { Stored } from "../store/fleet-store.ts";
import { createPresence, type LivePresence } from "./live-presence.ts";

const MID = "00000000000000a1";
const heartbeat = (s: string): Heartbeat => ({
  s,
  r: 1,
  n: [1, 0, 0],
  d: 0,
  c: 1,
  m: 1,
  t: [1, 2, 3, 4],
});
const sync = (session: string, parts: PartReport[] = []): Sync => ({
  session,
  version: "1",
  name: "n",
  allow: ["apply"],
  revision: 1,
  bucket: "",
  parts,
  local: 0,
});
const report = (rev: number, change: Partial<PartReport> = {}): PartReport => ({
  sid: "s",
  part: 0,
  rev,
  epoch: 1,
  outcome: "applied",
  reason: "",
  instance: "i",
  running: true,
  carried: null,
  ...change,
});

let time: SimulatedTime;
let presence: LivePresence;
let told: string[];
const members = new Map<string, Stored<MemberRecord>>();
const services = new Map();

beforeEach(() => {
  time = new SimulatedTime();
  const clock = new SimulatedClock(time);
  const record = (joined: number): Stored<MemberRecord> => ({
    revision: 1,
    value: {
      v: 1,
      name: "n",
      labels: {},
      address: "",
      nkey: "U",
      box: new Uint8Array(32),
      draining: false,
      joined,
      evicted: false,
    },
  });
  members.clear();
  services.clear();
  members.set(MID, record(0));
  members.set("new", record(clock.now() + 10));
  presence = createPresence({ members, services, ownedBy: () => [{ sid: "s", part: 0 }] }, clock);
  told = [];
  presence.onStatus((mid, { status }) => told.push(`${mid === MID ? "a" : mid} ${status}`));
});

test("three missing heartbeats make a member late, its TTL and a second lost", async () => {
  presence.heartbeat(MID, heartbeat("s1"));
  expect(presence.facts(MID)).toMatchObject({ status: "online", session: "s1", synced: false });
  await time.run(14_900);
  expect(presence.facts(MID).status).toBe("online");
  await time.run(16_100);
  expect(presence.facts(MID).status).toBe("late");
  await time.run(18_000);
  expect(presence.facts(MID).status).toBe("lost");
  presence.heartbeat(MID, heartbeat("s1"));
  expect(told.filter((line) => line.startsWith("a "))).toEqual([
    "a online",
    "a late",
    "a lost",
    "a online",
  ]);
});

test("a member with failover is lost after the TTL that its part has", async () => {
  services.set("s", { value: { policy: { failover: "serve", ttl: 60 } } });
  presence.heartbeat(MID, heartbeat("s1"));
  await time.run(60_000);
  expect(presence.facts(MID).status).toBe("late");
  await time.run(62_500);
  expect(presence.facts(MID).status).toBe("lost");
});

test("who was never heard is new if it has just joined, else late and then lost", async () => {
  await time.run(2000);
  expect(presence.facts(MID).status).toBe("late");
  expect(presence.facts("new").status).toBe("new");
  await time.run(20_000);
  expect(presence.facts(MID).status).toBe("lost");
  expect(presence.facts("new").status).toBe("new");
});

test("heartbeats are no sealed word", async () => {
  presence.synced(MID, sync("s1"));
  const { sealedAt } = presence.facts(MID);
  await time.run(4000);
  presence.heartbeat(MID, heartbeat("s1"));
  expect(presence.facts(MID)).toMatchObject({ heardAt: 4000, sealedAt });
  presence.sealedWord(MID);
  expect(presence.facts(MID).sealedAt).toBe(4000);
});

test("who synced last has the seat; the other is found out when it goes on", async () => {
  presence.synced(MID, sync("s1"));
  presence.synced(MID, sync("s2"));
  // One that was under way when the next one synced.
  expect(presence.heartbeat(MID, heartbeat("s1"))).toEqual({
    isUnknown: false,
    isDuplicate: false,
  });
  expect(presence.isEvicted(MID, "s1")).toBe(false);
  await time.run(3000);
  expect(presence.heartbeat(MID, heartbeat("s1")).isDuplicate).toBe(true);
  expect(presence.facts(MID)).toMatchObject({ session: "s2", duplicate: true });
  expect(presence.isEvicted(MID, "s1")).toBe(false);
  presence.expel(MID, "s1");
  expect(presence.isEvicted(MID, "s1")).toBe(true);
  expect(presence.isEvicted(MID, "s2")).toBe(false);
  // It is no sign of life of the one with the seat.
  await time.run(17_000);
  presence.heartbeat(MID, heartbeat("s1"));
  await time.run(18_000);
  expect(presence.facts(MID).status).not.toBe("online");
});

test("a process that nobody has heard a sync of is unknown, and the seat stays", () => {
  presence.synced(MID, sync("s1"));
  expect(presence.heartbeat(MID, heartbeat("s3"))).toEqual({ isUnknown: true, isDuplicate: false });
  expect(presence.facts(MID).session).toBe("s1");
  expect(presence.hasSynced(MID, "s1")).toBe(true);
  expect(presence.hasSynced(MID, "s3")).toBe(false);
});

test("former processes are remembered up to a bound", () => {
  for (let at = 0; at < 40; at += 1) presence.synced(MID, sync(`s${at}`));
  expect(presence.hasSynced(MID, "s39")).toBe(true);
  expect(presence.hasSynced(MID, "s30")).toBe(true);
  expect(presence.hasSynced(MID, "s1")).toBe(false);
});

test("the last word of a part stands, whatever arrives late; a sync tells them whole", () => {
  services.set("s", { value: { policy: { failover: "off" }, parts: [{ owner: MID }] } });
  const reports: string[] = [];
  presence.onReport((_, { rev, outcome }) => reports.push(`${rev} ${outcome}`));
  presence.reported(MID, [report(5)]);
  presence.reported(MID, [report(4, { outcome: "failed" })]);
  expect(presence.report("s", 0)).toMatchObject({ rev: 5, mid: MID });
  // The same again is no news, a failure always is.
  presence.reported(MID, [report(5)]);
  presence.reported(MID, [report(6, { outcome: "failed" })]);
  presence.reported(MID, [report(6, { outcome: "failed" })]);
  expect(reports).toEqual(["5 applied", "6 failed", "6 failed"]);
  presence.synced(MID, sync("s1", [report(3)]));
  expect(presence.reportOf(MID, "s", 0)?.rev).toBe(3);
  presence.synced(MID, sync("s1"));
  expect(presence.reportsOf(MID)).toEqual([]);
  expect(presence.report("s", 0)).toBeUndefined();
  presence.forget(MID);
  expect(presence.facts(MID).synced).toBe(false);
});

test("what a member says of parts is remembered up to a bound, whatever it makes up", () => {
  for (let at = 0; at < 5000; at += 1) presence.reported(MID, [{ ...report(1), sid: `x${at}` }]);
  expect(presence.reportsOf(MID)).toHaveLength(1000);
  expect(presence.reportOf(MID, "x4999", 0)).toBeDefined();
});

test("a seat whose process does not answer is free again, for whoever syncs next", async () => {
  presence.synced(MID, sync("s2"));
  // Of a process that is gone, kept and brought by whoever runs the engine.
  presence.synced(MID, sync("s1"));
  await time.run(3000);
  expect(presence.heartbeat(MID, heartbeat("s2")).isDuplicate).toBe(true);
  presence.vacate(MID, "s2");
  expect(presence.facts(MID)).toMatchObject({ session: "s2", synced: false, duplicate: false });
  expect(presence.heartbeat(MID, heartbeat("s2")).isUnknown).toBe(true);
  expect(presence.hasSynced(MID, "s2")).toBe(false);
  presence.synced(MID, sync("s2"));
  expect(presence.facts(MID)).toMatchObject({ session: "s2", synced: true });
  expect(presence.isEvicted(MID, "s2")).toBe(false);
});
