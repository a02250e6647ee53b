import { connect } from "@nats-io/transport-node";
import {
  decodeJoinToken,
  engineAuthenticator,
  fingerprintOf,
  hubSubjects,
  issueHubCredentials,
  memberSubjects,
  REFUSAL_HEADER,
  sealMessage,
  storeNames,
} from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connectEngine } from "../src/engine/engine-link.ts";
import { openNotices } from "../src/hubs/notices.ts";
import { createMessageCounts } from "../src/members/message-counts.ts";
import { joinAs } from "./support/simulated-member.ts";
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

here("a hub and who means it ill", () => {
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

  test("a member that says where its answers go reaches no store by them", async () => {
    const hub = await fleet.hub();
    const hostile = await fleet.member(hub);
    const { sync, lease, done } = memberSubjects("test", hostile.identity.mid);
    const { services, audit, control } = storeNames("test");
    const { bad } = hub.figures().counts;
    const before = bad.sync + bad.lease + bad.done;
    const replies = [
      `$JS.API.STREAM.DELETE.KV_${services}`,
      `$JS.API.STREAM.DELETE.${audit}`,
      `$KV.${services}.${"0".repeat(16)}`,
      `$KV.${control}.leader`,
      memberSubjects("test", "0".repeat(16)).apply,
    ];
    const operator = await engineOperator(fleet);
    let answered = 0;
    for (const reply of replies) {
      operator.subscribe(reply, {
        callback: (_, { headers }) => {
          if (headers?.has(REFUSAL_HEADER)) answered += 1;
        },
      });
    }
    await operator.flush();
    const told = hostile.connection;
    for (const subject of [sync, lease, done]) {
      for (const reply of replies) told?.publish(subject, Uint8Array.of(1), { reply });
    }
    // A sync is heard twice: by each hub, and by the one that answers it.
    const all = 4 * replies.length;
    await vi.waitFor(() => expect(bad.sync + bad.lease + bad.done - before).toBe(all), SLOW);
    await hub.fleet.createToken(fleet.admin(hub), {
      ...{ kind: "join", role: "viewer", selector: "", labels: {}, uses: 1, note: "" },
    });
    await operator.flush();
    expect(answered).toBe(0);
    await hub.close();
    await operator.close();
  }, 60_000);

  test("a member that floods its hub is cut off, and the others keep theirs", async () => {
    const hub = await fleet.hub();
    const [hostile, other] = [
      await fleet.member(hub, { reconnect: false }),
      await fleet.member(hub),
    ];
    const { mid } = hostile.identity;
    const { done } = memberSubjects("test", mid);
    await vi.waitFor(() => expect(hub.leadership.isLeading()).toBe(true), SLOW);
    const block = new Uint8Array(700 * 1024);
    for (let n = 0; n < 30; n += 1) hostile.publishRaw(done, block);
    await vi.waitFor(() => expect(hostile.connection?.isClosed()).toBe(true), SLOW);
    const { alarms } = hub.fleet.info(fleet.admin(hub));
    expect(alarms).toContainEqual({ alarm: "flood", message: expect.stringContaining(mid) });
    await vi.waitFor(async () => expect(await other.lease()).toBe(true), SLOW);
    // Its JWT is worth nothing, and it gets no other for now.
    const { identity } = hostile;
    const renewal = () =>
      joinAs(
        mid,
        identity.name,
        undefined,
        fingerprintOf(identity.hubKey),
        (request) => hub.fleet.join(request, "127.0.0.1"),
        identity,
      );
    await expect(renewal()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("has sent too much"),
    });
    await hub.close();
  }, 60_000);

  test("a member that takes the engine's connections is cut off with all of them", async () => {
    const hub = await fleet.hub();
    const [hostile, other] = [
      await fleet.member(hub, { reconnect: false }),
      await fleet.member(hub),
    ];
    await vi.waitFor(() => expect(hub.leadership.isLeading()).toBe(true), SLOW);
    const { identity } = hostile;
    const { jwt, servers } = identity.answer;
    const connections = await Promise.all(
      Array.from({ length: 100 }, () =>
        connect({
          servers: servers.map((url) => url.replace(/^\w+:\/\//, "")),
          authenticator: engineAuthenticator(() => ({ jwt, seed: identity.seed })),
          reconnect: false,
          timeout: 20_000,
        }),
      ),
    );
    await Promise.all(connections.map((one) => one.closed()));
    await hostile.connection?.closed();
    expect(other.connection?.isClosed()).toBe(false);
    expect(await other.lease()).toBe(true);
    const { alarms } = hub.fleet.info(fleet.admin(hub));
    const message = expect.stringMatching(`${identity.mid} was cut off: it has \\d+ connections`);
    expect(alarms).toContainEqual({ alarm: "flood", message });
    await hub.close();
  }, 60_000);

  test("a member is called by what people can read, and is nowhere but at its own host", async () => {
    const hub = await fleet.hub();
    const { token } = await hub.fleet.createToken(fleet.admin(hub), {
      ...{ kind: "join", role: "viewer", selector: "", labels: {}, uses: 1, note: "" },
    });
    const { id, secret, fp } = decodeJoinToken(token);
    const name = "\x1b]0;x\x07\u202eed\u009bge\r\n\u0000 <b>";
    const identity = await joinAs("00000000000000e7", name, { id, secret }, fp, (request) =>
      hub.fleet.join(request, "127.0.0.1"),
    );
    const member = await fleet.member(hub, { identity });
    expect(hub.fleet.master(fleet.admin(hub), identity.mid).name).toBe("]0;xedge <b>");
    const { sync } = memberSubjects("test", identity.mid);
    const say = (prefix: string) => {
      const { session } = member;
      const empty = { version: "", name: "", bucket: "", allow: [], parts: [] };
      const body = { ...empty, session, prefix, revision: 0, local: 0 };
      member.publishRaw(sync, sealMessage(member.box, sync, body));
    };
    const told = () => hub.presence.facts(identity.mid).prefix;
    for (const prefix of ["@evil.example", ".evil.example/api", ":1/", "//evil", "/a?b", "/a\n"]) {
      say(prefix);
    }
    say("/mine/api");
    await vi.waitFor(() => expect(told()).toBe("/mine/api"), SLOW);
    expect(hub.figures().counts.bad.sync).toBe(12);
    await hub.close();
  }, 60_000);

  test("whoever claims another's part learns nothing of it", async () => {
    const hub = await fleet.hub();
    const [owner, hostile] = [await fleet.member(hub), await fleet.member(hub)];
    const { sid } = await hub.fleet.createService(fleet.admin(hub), {
      alias: "theirs",
      tags: {},
      policy: { failover: "off", ttl: 15, failback: "never" },
      parts: [
        {
          url: "server://secretkey@127.0.0.1:auto/127.0.0.1:1",
          master: owner.identity.mid,
          running: true,
        },
      ],
    });
    const { mid, answer } = hostile.identity;
    const subject = memberSubjects(answer.fleet, mid).sync;
    const body = {
      session: hostile.session,
      version: "1",
      name: "n",
      allow: [],
      revision: 0,
      bucket: "",
      parts: [
        {
          ...{ sid, part: 0, rev: 2 ** 40, epoch: 2 ** 40, outcome: "applied", reason: "" },
          ...{ instance: "i", running: true, carried: null },
        },
      ],
      local: 0,
    };
    const orders: string[] = [];
    const take = hostile.box.open;
    vi.spyOn(hostile.box, "open").mockImplementation((...given) => {
      const opened = take(...given);
      orders.push(Buffer.from(opened.body).toString("latin1"));
      return opened;
    });
    hostile.publishRaw(subject, sealMessage(hostile.box, subject, body));
    await vi.waitFor(() => expect(orders.some((text) => text.includes(sid))).toBe(true), SLOW);
    expect(orders.join("\n")).not.toMatch(/secretkey|theirs/);
    // Nor does it change who owns it.
    expect(hub.fleet.service(fleet.admin(hub), sid).parts[0]?.owner).toBe(owner.identity.mid);
  }, 120_000);
});
