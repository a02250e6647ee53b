import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { connect } from "@nats-io/transport-node";
import {
  engineAuthenticator,
  hubSubjects,
  issueHubCredentials,
  memberSubjects,
  sealMessage,
} from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connectEngine } from "../src/engine/engine-link.ts";
import { openNotices } from "../src/hubs/notices.ts";
import { createMessageCounts } from "../src/members/message-counts.ts";
import { createVouchers } from "../src/members/vouchers.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const SLOW = { timeout: 60_000, interval: 50 };

/** Who runs the engine sees and sends whatever it likes: it is played with a hub's credentials. */
async function engineOperator(fleet: TestFleet) {
  const credentials = await issueHubCredentials(fleet.created.hub.secrets, "operator");
  const [server] = fleet.servers;
  return connect({
    servers: server?.url ?? "",
    authenticator: engineAuthenticator(() => credentials),
  });
}

here("a hub and who runs its engine and means it ill", () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await TestFleet.start();
  });
  afterAll(() => fleet.close());

  test("a sync kept by who runs the engine sends no member away", async () => {
    const name = fleet.created.hub.secrets.fleet;
    const operator = await engineOperator(fleet);
    const kept: { subject: string; data: Uint8Array }[] = [];
    operator.subscribe(`np.${name}.hub.*.sync`, {
      callback: (_, { subject, data }) => {
        kept.push({ subject, data: data.slice() });
      },
    });
    await operator.flush();
    const before = await fleet.hub();
    const first = await fleet.member(before);
    const { identity } = first;
    await vi.waitFor(() => expect(kept.length).toBeGreaterThan(0), SLOW);
    await first.close();
    const second = await fleet.member(before, { identity });
    await before.close();
    // It has seen nothing of all this.
    const hub = await fleet.hub();
    const facts = () => hub.presence.facts(identity.mid);
    await vi.waitFor(
      () => expect(facts()).toMatchObject({ session: second.session, synced: true }),
      SLOW,
    );
    // Nor is it believed at all, not even once; it is answered by how one of now would be made.
    const seats = new Set<string | undefined>();
    hub.presence.onSync((mid) => {
      if (mid === identity.mid) seats.add(facts().session);
    });
    const answers: string[] = [];
    const inbox = `_INBOX_${identity.mid}.kept`;
    operator.subscribe(inbox, {
      callback: (_, { data }) => {
        answers.push(`${data.byteLength}`);
      },
    });
    for (const { subject, data } of kept) operator.publish(subject, data, { reply: inbox });
    await vi.waitFor(() => expect(answers.length).toBeGreaterThan(0), SLOW);
    await second.sync();
    expect([...seats]).toEqual([second.session]);
    expect(facts()).toMatchObject({ session: second.session, synced: true });
    expect(second.evicted).toBeUndefined();
    await hub.close();
    await operator.close();
  }, 120_000);

  test("a report that was kept says nothing to a hub that has begun since", async () => {
    const name = fleet.created.hub.secrets.fleet;
    const operator = await engineOperator(fleet);
    const kept: { subject: string; data: Uint8Array }[] = [];
    operator.subscribe(`np.${name}.hub.*.done`, {
      callback: (_, { subject, data }) => {
        kept.push({ subject, data: data.slice() });
      },
    });
    await operator.flush();
    const before = await fleet.hub();
    const member = await fleet.member(before);
    const { mid } = member.identity;
    const say = (sid: string) => {
      const report = {
        ...{ sid, part: 0, rev: 1, epoch: 1, outcome: "released", reason: "" },
        ...{ instance: null, running: false, carried: null },
      };
      const subject = memberSubjects(name, mid).done;
      member.publishRaw(subject, sealMessage(member.box, subject, { reports: [report] }));
    };
    say("kept");
    await vi.waitFor(() => expect(before.presence.reportOf(mid, "kept", 0)).toBeDefined(), SLOW);
    await before.close();
    const hub = await fleet.hub();
    // Before and after the hub knows its process.
    for (const isKnown of [false, true]) {
      expect(hub.presence.facts(mid).synced).toBe(isKnown);
      for (const { subject, data } of kept.slice(0, 1)) operator.publish(subject, data);
      await operator.flush();
      await vi.waitFor(() => expect(hub.presence.facts(mid).synced).toBe(true), SLOW);
      say(`now-${isKnown}`);
      const now = () => hub.presence.reportOf(mid, `now-${isKnown}`, 0);
      await vi.waitFor(() => expect(now()).toBeDefined(), SLOW);
      expect(hub.presence.reportOf(mid, "kept", 0)).toBeUndefined();
    }
    // It had no more than one sync to send again for the hub that it did not know.
    expect(member.again).toBeLessThanOrEqual(1);
    await hub.close();
    await operator.close();
  }, 120_000);

  test("leases kept by who runs the engine are no life of a member that is gone", async () => {
    const name = fleet.created.hub.secrets.fleet;
    const operator = await engineOperator(fleet);
    const kept: { subject: string; data: Uint8Array }[] = [];
    operator.subscribe(`np.${name}.hub.*.lease`, {
      callback: (_, { subject, data }) => {
        kept.push({ subject, data: data.slice() });
      },
    });
    await operator.flush();
    const before = await fleet.hub();
    const member = await fleet.member(before);
    await vi.waitFor(() => expect(before.leadership.isLeading()).toBe(true), SLOW);
    await vi.waitFor(async () => expect(await member.lease()).toBe(true), SLOW);
    await member.lease();
    await member.close();
    await before.close();
    const hub = await fleet.hub();
    await vi.waitFor(() => expect(hub.leadership.isLeading()).toBe(true), SLOW);
    expect(kept.length).toBeGreaterThan(1);
    for (const { subject, data } of kept) operator.publish(subject, data);
    // What is said after them is heard after them.
    const other = await fleet.member(hub);
    await vi.waitFor(async () => expect(await other.lease()).toBe(true), SLOW);
    expect(hub.presence.facts(other.identity.mid).sealedAt).toBeDefined();
    expect(hub.presence.facts(member.identity.mid).sealedAt).toBeUndefined();
    await hub.close();
    await operator.close();
  }, 120_000);

  test("what hubs told each other is not told again by who runs the engine", async () => {
    const { fleet: name, dataKeys } = fleet.created.hub.secrets;
    const operator = await engineOperator(fleet);
    const { notices: subject } = hubSubjects(name);
    const kept: Uint8Array[] = [];
    operator.subscribe(subject, {
      callback: (_, { data }) => {
        kept.push(data.slice());
      },
    });
    await operator.flush();
    const told: string[] = [];
    const counts = createMessageCounts();
    const open = async (id: string) => {
      const credentials = await issueHubCredentials(fleet.created.hub.secrets, id);
      const link = await connectEngine({
        servers: fleet.created.hub.servers,
        ca: "",
        connectTimeoutMs: 10_000,
        logger: SILENT_LOGGER,
        name: id,
        credentials,
      });
      const notices = openNotices({
        fleet: name,
        id,
        link,
        dataKeys,
        counts,
        logger: SILENT_LOGGER,
      });
      return { link, notices };
    };
    const [a, b] = [await open("aaaa"), await open("bbbb")];
    b.notices.on(({ kind, hub }) => {
      if (hub === "aaaa") told.push(kind);
    });
    const known = () => [a.notices.hubs(), b.notices.hubs()];
    await vi.waitFor(() => expect(known()).toEqual([["bbbb"], ["aaaa"]]), SLOW);
    a.notices.publish({ kind: "resume" });
    a.notices.publish({ kind: "resume" });
    await vi.waitFor(() => expect(told).toEqual(["resume", "resume"]), SLOW);
    await vi.waitFor(() => expect(kept.length).toBeGreaterThanOrEqual(3), SLOW);
    const again = kept.slice();
    for (const data of again) operator.publish(subject, data);
    await vi.waitFor(() => expect(counts.bad.notice).toBeGreaterThanOrEqual(2), SLOW);
    expect(told).toEqual(["resume", "resume"]);
    // One that has begun since takes none of them, but hears what is said now.
    const late = await open("cccc");
    late.notices.on(({ kind, hub }) => told.push(`${hub} ${kind}`));
    for (const data of again) operator.publish(subject, data);
    await vi.waitFor(() => expect(late.notices.hubs()).toContain("aaaa"), SLOW);
    for (const data of again) operator.publish(subject, data);
    a.notices.publish({ kind: "resume" });
    await vi.waitFor(() => expect(told).toContain("aaaa resume"), SLOW);
    expect(told.filter((one) => one === "aaaa resume")).toHaveLength(1);
    for (const { notices, link } of [a, b, late]) {
      notices.close();
      await link.close();
    }
    await operator.close();
  }, 60_000);

  test("a member that says to know more than the store raises no alarm, unless it can show it", async () => {
    const warned: unknown[] = [];
    const hub = await fleet.hub({
      logger: { ...SILENT_LOGGER, warn: (fields) => warned.push(fields) },
    });
    const alarms = () => hub.fleet.info(fleet.admin(hub)).alarms.map(({ alarm }) => alarm);
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const { bucket, revision } = member;
    expect(member.seen).toBeDefined();
    const proof = new Uint8Array(16);
    for (const [of, seen] of [
      [bucket, { revision: 2 ** 40, proof }],
      ["made up", { revision: 7, proof }],
      ["made up", undefined],
      [bucket, undefined],
      // What it was told of one store it can't say of another, or of more than that.
      ["made up", member.seen],
      [bucket, { revision: 2 ** 40, proof: member.seen?.proof ?? proof }],
    ] as const) {
      Object.assign(member, { bucket: of, seen, revision: seen?.revision ?? 2 ** 40 });
      await member.sync();
    }
    expect(warned).toContainEqual(expect.objectContaining({ mid, revision: 2 ** 40, bucket }));
    // Others that sync after it are answered after it.
    await (await fleet.member(hub)).sync();
    expect(alarms()).toEqual([]);
    // Another fleet's hub would not know; one of this fleet has given this for a store that is gone.
    const vouchers = createVouchers("test", fleet.created.hub.secrets.dataKeys, () => "gone");
    const seen = { revision: 3, proof: vouchers.revision(3) };
    Object.assign(member, { bucket: "gone", seen, revision: 3 });
    await member.sync();
    await vi.waitFor(() => expect(alarms()).toEqual(["store-older"]), SLOW);
    Object.assign(member, { bucket, revision });
    await hub.close();
  }, 120_000);

  test("a request kept by who runs the engine is done once, and an answer is no other one's", async () => {
    const operator = await engineOperator(fleet);
    const kept: { subject: string; reply: string; data: Uint8Array }[] = [];
    operator.subscribe(">", {
      callback: (_, { subject, reply = "", data }) => {
        kept.push({ subject, reply, data: data.slice() });
      },
    });
    await operator.flush();
    const before = await fleet.hub();
    const done: string[] = [];
    let isSilent = false;
    const api = async ({ path, method }: { path: string; method: string }) => {
      done.push(`${method} ${path}`);
      while (isSilent) await new Promise((resolve) => setTimeout(resolve, 20));
      return { status: 201, headers: [], body: new Uint8Array(0), streamed: false };
    };
    const options = { identity: await fleet.join(before), api };
    let member = await fleet.member(before, options);
    const { mid } = member.identity;
    const subjects = memberSubjects("test", mid);
    const ask = (path: string) =>
      before.messenger.api(
        mid,
        {
          ...{ method: "POST", path, headers: [], body: Uint8Array.of(1), access: "admin" },
          ...{ remote: "127.0.0.1", stream: randomBytes(16).toString("hex"), credit: 0 },
        },
        () => undefined,
      );
    expect(await ask("/first")).toMatchObject({ status: 201 });
    const of = (subject: string) => kept.filter((one) => one.subject === subject);
    await vi.waitFor(() => expect(of(subjects.api)).toHaveLength(1), SLOW);
    const [first] = of(subjects.api);
    const data = first?.data ?? new Uint8Array(0);
    await vi.waitFor(() => expect(of(first?.reply ?? "")).toHaveLength(1), SLOW);
    const [answer] = of(first?.reply ?? "");
    const again = async () => {
      const { badMessages } = member;
      const flipped = data.slice();
      flipped[40] = (flipped[40] ?? 0) ^ 1;
      for (const one of [data, data, data.subarray(0, -1), flipped]) {
        operator.publish(subjects.api, one);
      }
      for (const subject of [subjects.apply, subjects.prepare, subjects.evict, subjects.credit]) {
        operator.publish(subject, data);
      }
      await vi.waitFor(() => expect(member.badMessages - badMessages).toBe(8), SLOW);
      expect(done).toEqual(["POST /first"]);
      expect(member.evicted).toBeUndefined();
    };
    await again();
    // The answer to one request, given to another before its own.
    isSilent = true;
    const second = ask("/second");
    await vi.waitFor(() => expect(done).toHaveLength(2), SLOW);
    await vi.waitFor(() => expect(of(subjects.api).length).toBeGreaterThan(5), SLOW);
    operator.publish(of(subjects.api).at(-1)?.reply ?? "", answer?.data);
    await expect(second).rejects.toMatchObject({
      message: expect.stringContaining("answered what can't be read"),
    });
    isSilent = false;
    done.pop();
    // Of a hub that is gone, and of a process that is.
    await before.close();
    const hub = await fleet.hub();
    await again();
    await member.close();
    member = await fleet.member(hub, options);
    await again();
    await hub.close();
    await operator.close();
  }, 60_000);

  test("nothing that a hub is made of, logs or answers with shows its secrets", async () => {
    const logged: unknown[] = [];
    const log = (...given: unknown[]) => void logged.push(given);
    const logger = { ...SILENT_LOGGER, debug: log, info: log, warn: log, error: log };
    const hub = await fleet.hub({ logger });
    const member = await fleet.member(hub);
    const { sync } = memberSubjects("test", member.identity.mid);
    member.publishRaw(sync, Uint8Array.of(1));
    await vi.waitFor(() => expect(inspect(logged)).toContain("can't be read"), SLOW);
    const { secrets } = fleet.created.hub;
    const { operator, system, account, boxKeys, dataKeys } = secrets.reveal();
    const keys = [...boxKeys, ...dataKeys].flatMap((key) => [
      ...(["hex", "base64", "base64url"] as const).map((form) =>
        Buffer.from(key).toString(form).slice(0, 30),
      ),
      [...key.slice(0, 6)].join(", "),
      [...key.slice(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
    ]);
    const { signingSeed } = operator;
    const seeds = [signingSeed, system.seed, account.memberSeed, account.hubSeed];
    const admin = fleet.admin(hub);
    const others = [fleet.created.adminToken.split("_")[2] ?? "", member.identity.answer.jwt];
    const shown = { hub, secrets, logged, box: member.box, tokens: hub.fleet.tokens(admin), admin };
    const all = { depth: 20, showHidden: true, maxArrayLength: null };
    const text = [
      inspect(shown, all),
      inspect(shown, { ...all, customInspect: false }),
      JSON.stringify([secrets, fleet.created.hub, logged]),
      inspect(structuredClone(secrets), all),
    ].join("\n");
    expect(text).toContain(secrets.account);
    for (const secret of [...seeds, ...keys, ...others]) expect(text.includes(secret)).toBe(false);
    await hub.close();
  }, 60_000);
});
