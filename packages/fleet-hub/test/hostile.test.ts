import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { connect } from "@nats-io/transport-node";
import {
  engineAuthenticator,
  hubSubjects,
  issueHubCredentials,
  memberSubjects,
} from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connectEngine } from "../src/engine/engine-link.ts";
import { openNotices } from "../src/hubs/notices.ts";
import { createMessageCounts } from "../src/members/message-counts.ts";
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
    const [sync] = kept;
    operator.publish(sync?.subject ?? "", sync?.data);
    await vi.waitFor(() => expect(facts().session).toBe(first.session), SLOW);
    await vi.waitFor(() => expect(facts().session).toBe(second.session), SLOW);
    await vi.waitFor(() => expect(facts().synced).toBe(true), SLOW);
    expect(second.evicted).toBeUndefined();
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
    await b.link.connection.flush();
    // Nobody is told to go on who was not heard.
    b.notices.publish({ kind: "alarm", alarm: "mass-loss", raised: true, message: "" });
    await vi.waitFor(() => expect(kept.length).toBeGreaterThanOrEqual(1), SLOW);
    await a.link.connection.flush();
    a.notices.publish({ kind: "resume" });
    a.notices.publish({ kind: "resume" });
    await vi.waitFor(() => expect(told).toEqual(["resume", "resume"]), SLOW);
    await vi.waitFor(() => expect(kept.length).toBeGreaterThanOrEqual(3), SLOW);
    const again = kept.slice();
    for (const data of again) operator.publish(subject, data);
    await vi.waitFor(() => expect(counts.bad.notice).toBeGreaterThanOrEqual(2), SLOW);
    expect(told).toEqual(["resume", "resume"]);
    // Nor to a hub that begins later, which has heard none of it.
    const c = await open("cccc");
    c.notices.on(({ kind }) => told.push(kind));
    await c.link.connection.flush();
    const { notice: before } = counts.bad;
    for (const data of again) operator.publish(subject, data);
    await vi.waitFor(() => expect(counts.bad.notice - before).toBeGreaterThanOrEqual(5), SLOW);
    expect(told).toEqual(["resume", "resume", "alarm"]);
    for (const { notices, link } of [a, b, c]) {
      notices.close();
      await link.close();
    }
    await operator.close();
  }, 60_000);

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
      message: `master ${mid} answered what can't be read`,
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
