import { connect } from "@nats-io/transport-node";
import {
  decodeJoinToken,
  engineAuthenticator,
  fingerprintOf,
  memberSubjects,
  REFUSAL_HEADER,
  sealMessage,
  storeNames,
} from "@nodepass/fleet-protocol";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FleetHub } from "../src/index.ts";
import { joinAs } from "./support/join-as.ts";
import { TestFleet } from "./support/test-fleet.ts";
import { connectAsHub } from "./trials/support/engine-figures.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const SLOW = { timeout: 60_000, interval: 50 };

here("a hub and a member that means it ill", () => {
  let fleet: TestFleet;
  let hub: FleetHub;
  beforeAll(async () => {
    fleet = await TestFleet.start();
    hub = await fleet.hub();
  });
  afterAll(() => fleet.close());

  test("a member that says where its answers go reaches no store by them", async () => {
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
    const engine = await connectAsHub(fleet.created.hub);
    let answered = 0;
    for (const reply of replies) {
      engine.subscribe(reply, {
        callback: (_, { headers }) => {
          if (headers?.has(REFUSAL_HEADER)) answered += 1;
        },
      });
    }
    await engine.flush();
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
    await engine.flush();
    expect(answered).toBe(0);
    await engine.close();
  }, 60_000);

  test("a member that floods its hub is cut off, and the others keep theirs", async () => {
    const [hostile, other] = [
      await fleet.member(hub, { reconnect: false }),
      await fleet.member(hub),
    ];
    const { mid } = hostile.identity;
    const { done } = memberSubjects("test", mid);
    await vi.waitFor(() => expect(hub.leadership.isLeading()).toBe(true), SLOW);
    const block = new Uint8Array(700 * 1024);
    await vi.waitFor(() => {
      for (let n = 0; n < 10; n += 1) hostile.publishRaw(done, block);
      expect(hostile.connection?.isClosed()).toBe(true);
    }, SLOW);
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
  }, 60_000);

  test("a member that takes the engine's connections is cut off with all of them", async () => {
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
          // The last of them may come too late.
        }).catch(() => undefined),
      ),
    );
    await Promise.all(connections.flatMap((one) => one?.closed() ?? []));
    await hostile.connection?.closed();
    expect(other.connection?.isClosed()).toBe(false);
    expect(await other.lease()).toBe(true);
    const { alarms } = hub.fleet.info(fleet.admin(hub));
    const message = expect.stringMatching(`${identity.mid} was cut off: it has \\d+ connections`);
    expect(alarms).toContainEqual({ alarm: "flood", message });
  }, 60_000);

  test("a member is called by what people can read, and is nowhere but at its own host", async () => {
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
    const { sync: before } = hub.figures().counts.bad;
    const told = () => hub.presence.facts(identity.mid).prefix;
    for (const prefix of ["@evil.example", ".evil.example/api", ":1/", "//evil", "/a?b", "/a\n"]) {
      say(prefix);
    }
    say("/mine/api");
    await vi.waitFor(() => expect(told()).toBe("/mine/api"), SLOW);
    await vi.waitFor(() => expect(hub.figures().counts.bad.sync - before).toBe(12), SLOW);
  }, 60_000);

  test("a member that is asked what it could run leaves no other URL for those after it", async () => {
    const url = "server://itsown@0.0.0.0:10101/169.254.169.254:80";
    const prepare = () => ({ ok: true, reason: "", status: 200, url, tunnelPort: 10_101 });
    const { identity } = await fleet.member(hub, { prepare });
    const made = hub.fleet.createService(fleet.admin(hub), {
      alias: "moves",
      tags: {},
      policy: { failover: "serve", ttl: 15, failback: "never" },
      parts: [
        {
          url: "server://thekey@0.0.0.0:auto/127.0.0.1:80",
          master: identity.mid,
          running: true,
        },
      ],
    });
    await expect(made).rejects.toThrow("answered another URL than it was asked");
    const { services } = hub.index;
    expect([...services.values()].some(({ value }) => value.alias === "moves")).toBe(false);
  }, 60_000);

  test("whoever claims another's part learns nothing of it", async () => {
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
