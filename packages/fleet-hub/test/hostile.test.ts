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
    await vi.waitFor(() => expect(kept.length).toBeGreaterThanOrEqual(2), SLOW);
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
