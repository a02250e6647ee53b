import type { MemberRecord } from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import type { EngineClient } from "../engine/engine-load.ts";
import { createNews } from "./fleet-news.ts";
import { CUT_OFF_MS, guardAgainstFloods } from "./flood-guard.ts";
import type { News, Notices } from "./notices.ts";

const MIB = 1024 * 1024;
const record = (nkey: string, evicted = false): MemberRecord => ({
  ...{ v: 1, name: nkey, labels: {}, address: "", nkey, box: new Uint8Array(32) },
  ...{ draining: false, joined: 0, evicted },
});

function open({ leads = true, connected = true } = {}) {
  const time = new SimulatedTime();
  const clock = new SimulatedClock(time);
  const told: News[] = [];
  let hear: (notice: News) => void = () => undefined;
  const notices: Notices = {
    publish: (notice) => void told.push({ ...notice, hub: "own" } as News),
    on: (listener) => {
      hear = listener;
      return () => undefined;
    },
    hubs: () => [],
    close: () => undefined,
  };
  const news = createNews({ ...notices, on: () => () => undefined }, clock, SILENT_LOGGER);
  const members = new Map(
    [record("UA"), record("UB"), record("UGONE", true)].map((value, at) => [
      `m${at}`,
      { value, revision: 1 },
    ]),
  );
  /** What the engine has, what each connection sends a second, and which of them an answer leaves out. */
  const engine = {
    clients: [] as (EngineClient & { readonly perSecond: { messages: number; bytes: number } })[],
    isMissed: (_id: string, _question: "load" | "clients", _nth: number) => false,
    asked: { load: 0, clients: 0 },
  };
  const sent = (kind: "messages" | "bytes") => (client: (typeof engine.clients)[number]) =>
    client[kind] + (client.perSecond[kind] * time.now) / 1000;
  const answering = (question: "load" | "clients") => {
    const nth = engine.asked[question]++;
    return engine.clients.filter(({ id }) => !engine.isMissed(id, question, nth));
  };
  const revoked: string[] = [];
  const control = { isAway: false, tries: 0 };
  const guard = guardAgainstFloods({
    ...{ index: { members }, notices, news, clock, logger: SILENT_LOGGER },
    control: {
      revoke: async (nkeys) => {
        control.tries += 1;
        if (control.isAway) throw new Error("the engine is gone");
        revoked.push(...nkeys);
      },
      load: async () => {
        const servers = new Map<string, { messages: number; bytes: number }>();
        const clients = answering("load");
        for (const client of clients) {
          const sum = servers.get(client.id.charAt(0)) ?? { messages: 0, bytes: 0 };
          sum.messages += sent("messages")(client);
          sum.bytes += sent("bytes")(client);
          servers.set(client.id.charAt(0), sum);
        }
        return { connections: clients.length, servers };
      },
      clients: async () =>
        answering("clients").map((client) => ({
          ...client,
          at: time.now,
          messages: sent("messages")(client),
          bytes: sent("bytes")(client),
        })),
    },
    leadership: {
      isLeading: () => leads,
      isSure: () => leads,
      leadingSince: () => 0,
      leader: () => undefined,
      onChange: () => () => undefined,
    },
    isConnected: () => connected,
  });
  const add = (nkey: string, count: number, messages = 1, bytes = 100, before = {}) => {
    for (let n = 0; n < count; n += 1) {
      const past = { server: "s", messages: 0, bytes: 0, since: time.now, ...before };
      const { server, ...rest } = { ...past, nkey, at: time.now, perSecond: { messages, bytes } };
      engine.clients.push({ ...rest, id: `${server}/${engine.clients.length}` });
    }
  };
  const hearNow = (notice: News) => hear(notice);
  return { time, guard, news, told, revoked, control, engine, add, hear: hearNow };
}

test("whoever has too many connections is cut off, and no other", async () => {
  const { time, guard, news, told, revoked, add } = open();
  add("UHUB", 60);
  add("UB", 1);
  await time.run(10_000);
  expect(revoked).toEqual([]);
  add("UA", 17);
  await time.run(13_000);
  expect(revoked).toEqual(["UA"]);
  expect(news.raised()).toEqual([
    { alarm: "flood", message: "master m0 was cut off: it has 17 connections" },
  ]);
  expect(told).toContainEqual({ kind: "cut", mid: "m0", hub: "own" });
  expect([guard.waitOf("m0") > CUT_OFF_MS - 5000, guard.waitOf("m1")]).toEqual([true, 0]);
});

test.each([
  ["messages", 5001, 100, "20004 messages a second"],
  ["bytes", 10, 17 * MIB, "68 MiB a second"],
])(
  "whoever sends too much is cut off, by %s over all its connections",
  async (_, messages, bytes, why) => {
    const { time, news, revoked, add } = open();
    add("UHUB", 1, 3, 3000);
    add("UB", 1, 100, MIB);
    add("UA", 4, messages, bytes);
    await time.run(8000);
    expect(revoked).toEqual(["UA"]);
    expect(news.raised()[0]?.message).toContain(why);
  },
);

test("a server whose answers are late costs nobody of its members their connection", async () => {
  const { time, news, revoked, engine, add } = open();
  const day = { since: -86_400_000, messages: 1e9, bytes: 1e12 };
  // Somebody else makes the guard look at all of them.
  add("UHUB", 1, 30_000, 100);
  add("UA", 1, 100, MIB, { ...day, server: "t" });
  // One that was missed between two pages, though its server has answered.
  add("UB", 1, 100, MIB, day);
  engine.isMissed = (id, question, nth) => question === "clients" && nth % 2 === 0 && id !== "s/0";
  await time.run(20_000);
  expect(engine.asked.clients).toBeGreaterThan(4);
  expect([revoked, news.raised()]).toEqual([[], []]);
});

test("a server that is back is no reason to look at all clients", async () => {
  const { time, engine, add } = open();
  add("UA", 1, 100, MIB, { since: -86_400_000, messages: 1e9, bytes: 1e12 });
  add("UB", 1, 100, MIB, { since: -86_400_000, messages: 1e9, bytes: 1e12, server: "t" });
  engine.isMissed = (id, _, nth) => id.startsWith("t/") && nth % 2 === 0;
  await time.run(20_000);
  expect([engine.asked.load > 4, engine.asked.clients]).toEqual([true, 0]);
});

test("one that has come since is judged by all that it has sent", async () => {
  const { time, revoked, engine, add } = open();
  add("UHUB", 1, 30_000, 100);
  // Between the two samples, of 6 and 7 s.
  add("UA", 1, 0, 0, { since: 6500, bytes: 100 * MIB });
  engine.isMissed = (id, question) => question === "clients" && time.now < 6500 && id === "s/1";
  await time.run(8000);
  expect(revoked).toContain("UA");
});

test("whom the engine could not be told is cut off when it can be, though it floods no more", async () => {
  const { time, guard, revoked, control } = open();
  control.isAway = true;
  guard.cut("m0", "it floods this hub");
  await time.run(7000);
  expect([revoked, control.tries]).toEqual([[], 3]);
  control.isAway = false;
  await time.run(20_000);
  expect([revoked, control.tries]).toEqual([["UA"], 4]);
  // Not any more when it may have another JWT.
  control.isAway = true;
  guard.cut("m1", "it floods this hub");
  await time.run(20_000 + CUT_OFF_MS + 4000);
  const { tries } = control;
  control.isAway = false;
  await time.run(20_000 + 2 * CUT_OFF_MS);
  expect([revoked, control.tries]).toEqual([["UA"], tries]);
});

test("the alarm ends when nobody was cut off for a while", async () => {
  const { time, guard, news } = open();
  guard.cut("m1", "it floods this hub");
  guard.cut("m2", "it is no member any more");
  expect(news.isRaised("flood")).toBe(true);
  await time.run(2 * CUT_OFF_MS + 5000);
  expect(news.isRaised("flood")).toBe(false);
  expect(guard.waitOf("m1")).toBe(0);
});

test("a follower leaves it to who leads, but for when it has lost its members", async () => {
  const follower = open({ leads: false });
  follower.add("UA", 100);
  await follower.time.run(10_000);
  expect(follower.revoked).toEqual([]);
  // It gives no JWT, either, to one that another hub has cut off.
  follower.hear({ kind: "cut", mid: "m0", hub: "other" });
  expect(follower.guard.waitOf("m0")).toBe(CUT_OFF_MS);
  const drowned = open({ leads: false, connected: false });
  drowned.add("UA", 100);
  await drowned.time.run(10_000);
  expect(drowned.revoked).toContain("UA");
});
