import { jetstreamManager } from "@nats-io/jetstream";
import { jwtAuthenticator } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import {
  createBoxKeys,
  decodeJoinToken,
  issueHubCredentials,
  memberInbox,
  signJoin,
  storeNames,
} from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { NewToken } from "@nodepass/model/fleet";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Caller, FleetHub } from "../src/index.ts";
import { joinAs } from "./support/join-as.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

async function messageOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    return error instanceof Error ? error.message : "no error";
  }
}

const NEW: NewToken = { kind: "api", role: "viewer", selector: "", labels: {}, note: "" };
const ADDRESS = "127.0.0.1";

here("who may do what", () => {
  let fleet: TestFleet;
  let hub: FleetHub;
  beforeAll(async () => {
    fleet = await TestFleet.start();
    hub = await fleet.hub();
  });
  afterAll(() => fleet.close());
  const admin = () => fleet.admin(hub);

  const tokenFor = async (change: Partial<NewToken>): Promise<Caller> => {
    const { token } = await hub.fleet.createToken(admin(), { ...NEW, ...change });
    const caller = hub.fleet.verifyToken(token, ADDRESS);
    if (caller === undefined) throw new Error("the new token is not known");
    return caller;
  };
  const joinToken = async (change: Partial<NewToken> = {}) => {
    const made = await hub.fleet.createToken(admin(), { ...NEW, kind: "join", ...change });
    return { made, ...decodeJoinToken(made.token) };
  };

  test("a token opens what it is for, and nothing once it is gone or over", async () => {
    const { token, ...shown } = await hub.fleet.createToken(admin(), { ...NEW, ttl: 3600 });
    expect(token).toMatch(/^npf_[0-9a-f]{16}_[\w-]{43}$/);
    expect(hub.fleet.verifyToken(token, ADDRESS)).toMatchObject({
      role: "viewer",
      token: shown.id,
    });
    const wrong = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
    const unknown = token.replace(/npf_[0-9a-f]{16}/, "npf_0000000000000000");
    for (const text of [wrong, unknown, "", "npf_", "x".repeat(10_000)]) {
      expect(hub.fleet.verifyToken(text, ADDRESS)).toBeUndefined();
    }
    // The list has no secret.
    const listed = hub.fleet.tokens(admin());
    expect(listed.find(({ id }) => id === shown.id)).toEqual(shown);
    expect(JSON.stringify(listed)).not.toContain(token.slice(-43));
    await hub.fleet.removeToken(admin(), shown.id);
    expect(hub.fleet.verifyToken(token, ADDRESS)).toBeUndefined();
    expect(await codeOf(() => hub.fleet.removeToken(admin(), shown.id))).toBe("NOT_FOUND");
    // A join token is no key of the API.
    const { made } = await joinToken();
    expect(hub.fleet.verifyToken(made.token, ADDRESS)).toBeUndefined();
  });

  test("a reader of events whose token is removed is told nothing more", async () => {
    const caller = await tokenFor({ role: "viewer" });
    const told: string[] = [];
    hub.fleet.subscribe(caller, { instances: false }, ({ type }) => told.push(type));
    const { identity } = await fleet.member(hub);
    await vi.waitFor(() => expect(told).toContain("master"));
    await hub.fleet.removeToken(admin(), caller.token);
    await hub.fleet.changeMaster(admin(), identity.mid, { name: "first" });
    expect(told.at(-1)).toBe("shutdown");
    const count = told.length;
    await hub.fleet.changeMaster(admin(), identity.mid, { name: "second" });
    expect(told).toHaveLength(count);
  });

  test("a name is one master's: a clone gets another, and a change to a taken one is refused", async () => {
    const { made: unsaid } = await joinToken();
    const hours = (Date.parse(unsaid.expires ?? "") - Date.parse(unsaid.created)) / 3_600_000;
    expect([unsaid.uses, hours]).toEqual([1, 1]);
    const { made: unbound } = await joinToken({ uses: null, ttl: null });
    expect(unbound).toMatchObject({ uses: null, expires: null });
    const { id, secret, fp } = await joinToken({ uses: 3 });
    const join = (mid: string, name: string) =>
      joinAs(mid, name, { id, secret }, fp, (request) => hub.fleet.join(request, ADDRESS));
    await Promise.all([join("d7f1000000000001", "vm"), join("e8f1000000000002", "vm")]);
    await join("d7f1000000000003", "vm");
    const names = ["d7f1000000000001", "e8f1000000000002", "d7f1000000000003"].map(
      (mid) => hub.fleet.master(admin(), mid).name,
    );
    expect(names.filter((name) => name === "vm")).toHaveLength(1);
    expect(new Set(names).size).toBe(3);
    const owner = hub.fleet.master(admin(), "vm").mid;
    const change = hub.fleet.changeMaster(admin(), "d7f1000000000003", { name: "vm" });
    await expect(change).rejects.toMatchObject({
      code: "CONFLICT",
      message: `master ${owner} has the name vm already`,
    });
    expect((await hub.fleet.changeMaster(admin(), owner, { name: "vm" })).name).toBe("vm");
  });

  test("viewers see, operators touch, admins do all; selectors hide what is not theirs", async () => {
    const eu = await fleet.member(hub, { labels: { region: "eu" } });
    const us = await fleet.member(hub, { labels: { region: "us" } });
    const viewer = await tokenFor({ role: "viewer" });
    const operator = await tokenFor({ role: "operator", selector: "region=eu" });
    const local = await tokenFor({ role: "admin", selector: "region=eu" });
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", running: true };
    const policy = { failover: "off", ttl: 15, failback: "never" } as const;
    const service = (mid: string) => ({
      alias: "",
      tags: {},
      policy,
      parts: [{ ...part, master: mid }],
    });
    const { mid: euMid } = eu.identity;
    const { mid: usMid } = us.identity;

    expect(hub.fleet.masters(viewer).map(({ mid }) => mid)).toEqual(
      expect.arrayContaining([euMid, usMid]),
    );
    expect(hub.fleet.masters(operator).map(({ mid }) => mid)).toEqual([euMid]);
    expect(() => hub.fleet.master(operator, usMid)).toThrow("no master");
    expect(await codeOf(() => hub.fleet.createService(viewer, service(euMid)))).toBe("FORBIDDEN");
    expect(await codeOf(() => hub.fleet.createService(operator, service(usMid)))).not.toBe("none");
    const made = await hub.fleet.createService(operator, service(euMid));
    const other = await hub.fleet.createService(admin(), service(usMid));
    expect(hub.fleet.services(operator).map(({ sid }) => sid)).toEqual([made.sid]);
    expect(() => hub.fleet.service(operator, other.sid)).toThrow("no service");
    for (const change of [
      () => hub.fleet.changeService(operator, other.sid, { alias: "x" }, undefined),
      () => hub.fleet.removeService(operator, other.sid, undefined),
      () => hub.fleet.moveService(operator, other.sid, { to: euMid, force: false }),
    ]) {
      expect(await codeOf(change)).toBe("NOT_FOUND");
    }
    for (const change of [
      () => hub.fleet.changeService(viewer, made.sid, { alias: "x" }, undefined),
      () => hub.fleet.removeService(viewer, made.sid, undefined),
      () => hub.fleet.changeMaster(viewer, euMid, { draining: true }),
      () => hub.fleet.changeMaster(operator, euMid, { address: "192.0.2.1" }),
      () => hub.fleet.changeMaster(operator, euMid, { address: "192.0.2.1" }),
      () => hub.fleet.removeMaster(operator, euMid, { stop: false }),
      () => hub.fleet.createToken(operator, NEW),
      () => hub.fleet.audit(operator, { limit: 1 }),
      () => hub.fleet.exportServices(operator),
      () => hub.fleet.importServices(operator, "{}"),
      () => hub.fleet.resumeFailover(viewer),
      () => hub.fleet.drainMaster(viewer, euMid),
      // An admin of a part of the fleet is none of the rest.
      () => hub.fleet.createToken(local, { ...NEW, role: "admin" }),
      () => hub.fleet.createToken(local, { ...NEW, selector: "region=us" }),
      () => hub.fleet.createToken(local, { ...NEW, kind: "join", labels: { region: "us" } }),
      () => hub.fleet.changeMaster(local, euMid, { labels: {} }),
      () => hub.fleet.audit(local, { limit: 1 }),
      () => hub.fleet.exportServices(local),
      () => hub.fleet.resumeFailover(local),
    ]) {
      expect(await codeOf(change), String(change)).toBe("FORBIDDEN");
    }
    const within = await hub.fleet.createToken(local, { ...NEW, selector: "region=eu,fast" });
    expect(hub.fleet.tokens(local).map(({ id }) => id)).toContain(within.id);
    expect(hub.fleet.tokens(local).map(({ id }) => id)).not.toContain(viewer.token);
    await hub.fleet.changeMaster(operator, euMid, { draining: true });
    const changed = await hub.fleet.changeMaster(local, euMid, {
      address: "192.0.2.1",
      labels: { region: "eu", "np/tier": "paid" },
    });
    expect(changed).toMatchObject({ address: "192.0.2.1", draining: true });
    expect(changed.labels).toEqual({ region: "eu", "np/tier": "paid" });
    expect(await codeOf(() => hub.fleet.changeMaster(local, euMid, { name: " " }))).toBe("INVALID");
  });

  test("a join token lets in as many as it says, however many come at once", async () => {
    const { id, secret, fp } = await joinToken({ uses: 3, labels: { batch: "one" } });
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) =>
        joinAs(`00000000000000${at}0`.slice(-16), `j${at}`, { id, secret }, fp, (request) =>
          hub.fleet.join(request, ADDRESS),
        ),
      ),
    );
    const joined = results.filter(({ status }) => status === "fulfilled");
    expect(joined).toHaveLength(3);
    for (const result of results) {
      if (result.status === "rejected") {
        expect(String(result.reason)).toContain("used up");
      }
    }
    const masters = hub.fleet.masters(admin()).filter(({ labels }) => labels.batch === "one");
    await vi.waitFor(() =>
      expect(
        hub.fleet.masters(admin()).filter(({ labels }) => labels.batch === "one"),
      ).toHaveLength(3),
    );
    expect(masters.every(({ status }) => status === "new")).toBe(true);
  });

  test("a join is refused with the reason: token, clock, signature, identity", async () => {
    const { id, secret, fp } = await joinToken({ ttl: 60 });
    const token = { id, secret };
    const post = (request: Parameters<typeof hub.fleet.join>[0]) =>
      hub.fleet.join(request, ADDRESS);
    const join = (mid: string, use = token) => joinAs(mid, "n", use, fp, post);
    const mid = "00000000000000a1";
    const [last] = await hub.fleet.audit(admin(), { limit: 1 });
    expect(await messageOf(() => join(mid, { id, secret: `${secret}x` }))).toContain("none of");
    expect(await messageOf(() => join(mid, { id: "ffff", secret }))).toContain("none of");
    expect(await messageOf(() => join(mid, { id: "../x y", secret }))).toContain("none of");
    // Anybody could fill the audit so, till nothing else is left in it.
    expect(await hub.fleet.audit(admin(), { limit: 1 })).toEqual([last]);
    const { token: api } = await hub.fleet.createToken(admin(), NEW);
    const [, apiId = "", apiSecret = ""] = /^npf_(\w{16})_(.+)$/.exec(api) ?? [];
    expect(await messageOf(() => join(mid, { id: apiId, secret: apiSecret }))).toContain("none of");
    const member = await join(mid);
    const box = member.box.publicKey;
    const { seed } = member;
    const late = signJoin({ token, mid, name: "n", seed, box, now: Date.now() - 400_000 });
    expect(await messageOf(() => post(late))).toMatch(/clock is 40\d s behind/);
    const signed = signJoin({ token, mid, name: "n", seed, box });
    expect(await messageOf(() => post({ ...signed, name: "other" }))).toContain("not signed");
    // Its own again, as when the answer was lost: good, and no use is taken.
    expect((await joinAs(mid, "n", token, fp, post, member)).answer.mid).toBe(mid);
    // Another key for the same mid; and without a token.
    expect(await codeOf(() => join(mid))).toBe("CONFLICT");
    expect(await codeOf(() => joinAs(mid, "n", undefined, fp, post))).toBe("FORBIDDEN");
    // The same key with another box.
    const other = signJoin({ token, mid, name: "n", seed, box: createBoxKeys().publicKey });
    expect(await codeOf(() => post(other))).toBe("CONFLICT");
    // A box key that makes the shared secret zero is refused before anything is stored.
    const zero = signJoin({
      token,
      mid: "00000000000000a2",
      name: "n",
      seed,
      box: new Uint8Array(32),
    });
    expect(await codeOf(() => post(zero))).toBe("INVALID");
    expect(() => hub.fleet.master(admin(), "00000000000000a2")).toThrow("no master");
    // Renewal by its key, without any token.
    const renewed = await joinAs(mid, "n", undefined, fp, post, member);
    expect(renewed.answer.expires).toBeGreaterThan(Date.now() / 1000 + 29 * 86_400);
    const stranger = joinAs("00000000000000a3", "n", undefined, fp, post);
    expect(await messageOf(() => stranger)).toContain("is no member");
  });

  test("a removed master is cut off at once, and does not come back with its old key", async () => {
    const member = await fleet.member(hub);
    const { mid } = member.identity;
    const kept = await fleet.member(hub);
    const removedAt = performance.now();
    const closed = member.connection?.closed().then(() => performance.now() - removedAt);
    await hub.fleet.removeMaster(admin(), mid, { stop: false });
    expect(() => hub.fleet.master(admin(), mid)).toThrow("no master");
    expect(await closed).toBeLessThan(10_000);
    expect(member.evicted).toContain("removed");
    // By the key that it had.
    const { seed, answer } = member.identity;
    const authenticator = jwtAuthenticator(answer.jwt, new TextEncoder().encode(seed));
    const again = connect({
      servers: fleet.servers.map(({ url }) => url),
      authenticator,
      inboxPrefix: memberInbox(mid),
      reconnect: false,
    });
    await expect(again).rejects.toThrow(/authorization/i);
    const { id, secret, fp } = await joinToken();
    const post = (request: Parameters<typeof hub.fleet.join>[0]) =>
      hub.fleet.join(request, ADDRESS);
    for (const token of [{ id, secret }, undefined]) {
      const back = joinAs(mid, "n", token, fp, post, member.identity);
      expect(await messageOf(() => back)).toContain("was removed");
    }
    // All others go on.
    expect(kept.connection?.isClosed()).toBe(false);
    expect(
      await hub.messenger.prepare(kept.identity.mid, { url: "server://:1/:2", key: null }),
    ).toMatchObject({ ok: true });
    const entries = await hub.fleet.audit(admin(), { limit: 20 });
    expect(
      entries.find(({ action, object }) => action === "master.remove" && object === mid),
    ).toMatchObject({ outcome: "done" });
  });

  test("an operator sets labels, but no name, no address and none of the admins' labels", async () => {
    const { identity } = await fleet.member(hub, { labels: { team: "a" } });
    const { mid } = identity;
    const operator = await tokenFor({ role: "operator", selector: "team=a" });
    const viewer = await tokenFor({ selector: "team=a" });
    const label = (who: Caller, labels: Record<string, string>) =>
      hub.fleet.changeMaster(who, mid, { labels });
    expect((await label(operator, { team: "a", tier: "1" })).labels).toEqual({
      team: "a",
      tier: "1",
    });
    await label(admin(), { team: "a", "np/rack": "7" });
    await label(operator, { team: "a", "np/rack": "7", tier: "2" });
    for (const labels of [{ team: "a" }, { team: "a", "np/rack": "8" }]) {
      await expect(label(operator, labels)).rejects.toMatchObject({
        code: "FORBIDDEN",
        message: expect.stringContaining("np/rack"),
      });
    }
    // With these it would not be theirs to see any more.
    expect(await codeOf(() => label(operator, { "np/rack": "7" }))).toBe("FORBIDDEN");
    expect(await codeOf(() => label(viewer, { team: "a", "np/rack": "7" }))).toBe("FORBIDDEN");
    for (const change of [{ name: "x" }, { address: "192.0.2.1" }]) {
      const changing = () => hub.fleet.changeMaster(operator, mid, change);
      expect(await codeOf(changing)).toBe("FORBIDDEN");
    }
    expect(hub.fleet.master(admin(), mid).labels).toMatchObject({ "np/rack": "7", tier: "2" });
  });

  test("of two changes of a master that was read once, the second is refused", async () => {
    const { mid } = (await fleet.member(hub)).identity;
    const { revision } = hub.fleet.master(admin(), mid);
    const change = (labels: Record<string, string>) =>
      hub.fleet.changeMaster(admin(), mid, { labels }, revision);
    const { revision: now } = await change({ one: "1" });
    await expect(change({ two: "2" })).rejects.toMatchObject({
      code: "PRECONDITION",
      message: `master ${mid} is at revision ${now}, not ${revision}: somebody has changed it since`,
    });
    expect(hub.fleet.master(admin(), mid)).toMatchObject({ labels: { one: "1" }, revision: now });
  });

  test("the audit says how a request that was passed on was answered", async () => {
    const { identity } = await fleet.member(hub);
    const pass = (what: string, status: number) =>
      hub.fleet.auditPassed(admin(), identity.mid, what, ADDRESS, async () => ({ status }));
    await pass("POST /a", 201);
    await pass("POST /b", 409);
    await pass("POST /c", 504);
    const told = (await hub.fleet.audit(admin(), { limit: 6 })).map(
      ({ outcome, detail }) => `${outcome} ${detail}`,
    );
    expect(told.reverse()).toEqual([
      ...["intended POST /a", "done POST /a: 201", "intended POST /b", "refused POST /b: 409"],
      ...["intended POST /c", "failed POST /c: 504"],
    ]);
  });

  test("nothing is changed that can't be stored in the audit", async () => {
    const { secrets, servers } = fleet.created.hub;
    const credentials = await issueHubCredentials(secrets, "breaker");
    const connection = await connect({
      servers: servers.map((url) => url.replace("nats://", "")),
      authenticator: jwtAuthenticator(credentials.jwt, new TextEncoder().encode(credentials.seed)),
    });
    const member = await fleet.member(hub);
    const manager = await jetstreamManager(connection);
    await manager.streams.delete(storeNames("test").audit);
    const before = hub.fleet.tokens(admin()).length;
    expect(await codeOf(() => hub.fleet.createToken(admin(), NEW))).toBe("UNAVAILABLE");
    expect(hub.fleet.tokens(admin())).toHaveLength(before);
    const { mid } = member.identity;
    expect(await codeOf(() => hub.fleet.changeMaster(admin(), mid, { name: "x" }))).toBe(
      "UNAVAILABLE",
    );
    expect(hub.fleet.master(admin(), mid).name).not.toBe("x");
    let isPassed = false;
    const passed = hub.fleet.auditPassed(undefined, mid, "DELETE /x", ADDRESS, async () => {
      isPassed = true;
      return { status: 204 };
    });
    expect(await codeOf(() => passed)).toBe("UNAVAILABLE");
    expect(isPassed).toBe(false);
    // Nor by whoever has one master's own key, till nothing else is left in it.
    const ask = (who: Parameters<typeof hub.fleet.auditPassed>[0]) =>
      codeOf(() =>
        hub.fleet.auditPassed(who, mid, "POST /x", ADDRESS, async () => ({ status: 201 })),
      );
    const codes = await Promise.all(Array.from({ length: 1200 }, () => ask(undefined)));
    expect(codes.filter((code) => code === "LIMIT_REACHED").length).toBeGreaterThan(100);
    expect(await ask(admin())).toBe("UNAVAILABLE");
    await connection.close();
  });
});
