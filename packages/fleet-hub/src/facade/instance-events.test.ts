import type { MemberEvent, MemberRecord, Watch } from "@nodepass/fleet-protocol";
import { type LogFields, SILENT_LOGGER } from "@nodepass/model";
import type { FleetEvent } from "@nodepass/model/fleet";
import { InstanceSchema } from "@nodepass/model/schemas";
import { beforeEach, expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import type { Stored } from "../store/fleet-store.ts";
import { createInstanceEvents, type InstanceEvents } from "./instance-events.ts";

const MID = "00000000000000a1";
const OTHER = "00000000000000b1";
const { example } = InstanceSchema.meta() ?? {};
const event = (id: string): MemberEvent => ({
  type: "update",
  instance: { ...Object(example), id },
});

let time: SimulatedTime;
let watches: Watch[];
let say: (mid: string, event: MemberEvent) => void;
let sync: (mid: string) => void;
let events: InstanceEvents;
let said: LogFields[];
let members: Map<string, Stored<MemberRecord>>;

beforeEach(() => {
  time = new SimulatedTime();
  watches = [];
  said = [];
  const record: MemberRecord = {
    v: 1,
    name: "n",
    labels: {},
    address: "",
    nkey: "U",
    box: new Uint8Array(32),
    draining: false,
    joined: 0,
    evicted: false,
  };
  const stored = { value: record, revision: 1 };
  members = new Map([[MID, stored]]);
  events = createInstanceEvents({
    messenger: {
      watch: (_, message) => watches.push(message),
      onEvent: (listener) => {
        say = listener;
        return () => undefined;
      },
    },
    presence: {
      facts: () => ({
        status: "online",
        heardAt: 0,
        sealedAt: 0,
        heardAtWall: 0,
        session: "s",
        heartbeat: undefined,
        version: "",
        allow: [],
        duplicate: false,
        prefix: "/api",
        synced: true,
      }),
      onSync: (listener) => {
        sync = listener;
        return () => undefined;
      },
    },
    index: { members },
    clock: new SimulatedClock(time),
    logger: { ...SILENT_LOGGER, warn: (fields) => said.push(fields) },
  });
});

test("members are asked for events only while somebody reads, again every 30 s", async () => {
  sync(MID);
  await time.run(100_000);
  expect(watches).toEqual([]);
  const stop = events.subscribe(() => undefined);
  expect(watches).toMatchObject([{ forMs: 60_000 }]);
  await time.run(195_000);
  expect(watches).toHaveLength(4);
  // One that has begun anew knows of no reader.
  sync(MID);
  expect(watches).toHaveLength(5);
  stop();
  expect(watches.at(-1)).toMatchObject({ forMs: 0 });
  await time.run(400_000);
  expect(watches).toHaveLength(6);
});

test("5,000 events a second reach readers; what is beyond is dropped and counted", async () => {
  const seen: FleetEvent[] = [];
  events.subscribe((told) => seen.push(told));
  for (let at = 0; at < 6000; at += 1) say(MID, event(`i${at}`));
  expect(seen).toHaveLength(5000);
  expect(events.dropped).toBe(1000);
  await time.run(1500);
  say(MID, event("later"));
  expect(seen.at(-1)).toMatchObject({ type: "instance", instance: { id: "later", mid: MID } });
});

test("one master that tells without end takes no other's share, and is named", async () => {
  members.set(OTHER, { ...(members.get(MID) as Stored<MemberRecord>) });
  const seen: string[] = [];
  events.subscribe((_, mid) => seen.push(mid));
  for (let round = 0; round < 3; round += 1) {
    for (let at = 0; at < 9000; at += 1) say(MID, event(`i${at}`));
    for (let at = 0; at < 500; at += 1) say(OTHER, event(`o${at}`));
    await time.run(time.now + 1000);
  }
  expect(seen.filter((mid) => mid === OTHER)).toHaveLength(1500);
  expect(seen.length).toBeLessThan(17_000);
  expect(events.dropped).toBe(3 * 9500 - seen.length);
  expect(said).toEqual([{ masters: 1, mid: MID, count: 1, perSecond: 5000 }]);
  await time.run(time.now + 60_000);
  for (let at = 0; at < 6000; at += 1) say(MID, event(`i${at}`));
  expect(said[1]).toMatchObject({ mid: MID, count: events.dropped - 1000 });
});

test("an API key's entry, what is no instance, and a stranger's are told to nobody", () => {
  const seen: FleetEvent[] = [];
  events.subscribe((told) => seen.push(told));
  say(MID, event("********"));
  say(MID, { type: "create", instance: { id: "x" } });
  say("00000000000000ff", event("y"));
  expect(seen).toEqual([]);
});
