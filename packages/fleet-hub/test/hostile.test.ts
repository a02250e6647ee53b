import { connect } from "@nats-io/transport-node";
import {
  engineAuthenticator,
  issueHubCredentials,
  memberSubjects,
  sealMessage,
} from "@nodepass/fleet-protocol";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
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
    await operator.close();
  }, 120_000);

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
