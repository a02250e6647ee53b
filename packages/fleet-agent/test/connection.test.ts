import { once } from "node:events";
import { cpSync, existsSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { FLEET_FILE_NAME, FleetFile, leaveFleet } from "@nodepass/fleet-agent";
import { createBoxKeys, fingerprintOf } from "@nodepass/fleet-protocol";
import { findNatsServer } from "test-support/nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HonestHub, order } from "./support/honest-hub.ts";
import { startMember, type TestMember, temporaryFolder } from "./support/member.ts";

const WAIT = { timeout: 60_000, interval: 20 };
const URL = "client://127.44.3.1:4401/127.44.3.1:4402?mode=1&log=none";

const countOf = (server: Server) => promisify(server.getConnections.bind(server))();

describe.skipIf(findNatsServer() === undefined)("a member's line to its fleet", () => {
  const closers: (() => unknown)[] = [];
  let hub: HonestHub;
  let synced: HonestHub["synced"];
  let servers: string[];

  beforeAll(async () => {
    hub = await HonestHub.start();
    synced = hub.synced;
    servers = hub.servers;
  });
  afterAll(() => hub.close());
  beforeEach(() => {
    hub.synced = synced;
    hub.servers = servers;
    hub.refuseJoin = undefined;
    hub.loseAnswers = false;
    hub.expiresAt = () => undefined;
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function start(
    folder = temporaryFolder(closers),
    options: Parameters<typeof startMember>[1] = { token: hub.token() },
  ): Promise<TestMember> {
    const member = await startMember(folder, options);
    closers.push(() => member.stop());
    return member;
  }
  const isSynced = (member: TestMember) =>
    vi.waitFor(() => expect(member.agent.status().state).toBe("synced"), WAIT);
  const syncs = (mid: string) => hub.syncs.filter((one) => one.mid === mid).length;

  test("is there again after its engine was killed, and syncs anew", async () => {
    const member = await start();
    await isSynced(member);
    const chunks: unknown[] = [];
    await hub.api(member.mid, { path: "/api/events" }, (chunk) => chunks.push(chunk));
    await hub.engine.kill();
    await vi.waitFor(() => expect(member.agent.status().state).toBe("connecting"), WAIT);
    const before = syncs(member.mid);
    await hub.engine.restart();
    await isSynced(member);
    expect(syncs(member.mid)).toBe(before + 1);
    await vi.waitFor(async () => {
      const { text } = await hub.api(member.mid, { path: "/api/metrics" });
      expect(text).toContain("nodepass_event_readers 0");
    }, WAIT);
    expect(
      member.lines.filter((line) => line.includes("fleet: not connected")).length,
    ).toBeLessThan(5);
  });

  test("goes by WebSocket, also where the other way leads nowhere", async () => {
    hub.servers = [hub.engine.websocketUrl];
    const member = await start();
    await isSynced(member);
    expect((await hub.api(member.mid, { path: "/api/info" })).status).toBe(200);
    await member.stop();
    hub.servers = ["tls://127.44.3.9:1", hub.engine.websocketUrl];
    const other = await start();
    await isSynced(other);
  });

  test("holds up no stop while it tries to get there", async () => {
    // Takes connections and says nothing.
    const silent = createServer(() => undefined).listen(0, "127.44.3.1");
    await once(silent, "listening");
    closers.push(() => silent.close());
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : 0;
    hub.servers = [`nats://127.44.3.1:${port}`];
    const member = await start();
    await vi.waitFor(() => expect(countOf(silent)).resolves.toBe(1), WAIT);
    const before = performance.now();
    await member.stop();
    expect(performance.now() - before).toBeLessThan(1000);
  });

  test("comes later when a hub is busy", async () => {
    let asked = 0;
    hub.synced = (mid, sync) => (++asked < 3 ? { answer: "busy", afterMs: 20 } : synced(mid, sync));
    const member = await start();
    await isSynced(member);
    expect(syncs(member.mid)).toBe(3);
  });

  test("asks again when no hub answers", async () => {
    let asked = 0;
    hub.synced = (mid, sync) => (++asked < 2 ? undefined : synced(mid, sync));
    const member = await start();
    await isSynced(member);
    expect(syncs(member.mid)).toBe(2);
  });

  test("of two processes with one identity the other one leaves, and says how to come back", async () => {
    const folder = temporaryFolder(closers);
    const first = await start(folder);
    await isSynced(first);
    await first.instances.create({ url: URL });
    const { session } = hub.syncs.at(-1)?.sync ?? {};
    const copy = temporaryFolder(closers);
    await first.stop();
    cpSync(folder, copy, { recursive: true });
    const again = await start(folder, {});
    await isSynced(again);
    const { session: losing } = hub.syncs.at(-1)?.sync ?? {};
    expect(losing).not.toBe(session);
    const clone = await start(copy, {});
    await isSynced(clone);
    hub.tell(again.mid, "evict", { session: losing, reason: "another one has synced" }, losing);
    await vi.waitFor(() => expect(again.agent.status().state).toBe("left"), WAIT);
    expect(again.lines.join("\n")).toMatch(
      /another one has synced.*rejoin with --join TOKEN --new-identity/,
    );
    expect(clone.agent.status().state).toBe("synced");
    // What was said to the other one is not for this one.
    hub.tell(again.mid, "evict", { session: losing, reason: "again" });
    await hub.api(clone.mid, { path: "/api/info" });
    expect(clone.agent.status().state).toBe("synced");

    await again.stop();
    const still = await start(folder, {});
    await still.master.started;
    expect(still.agent.status()).toMatchObject({ state: "left", reason: "another one has synced" });
    expect((await still.instances.list()).map(({ status }) => status)).toEqual(["running"]);
    await still.stop();
    const renewed = await start(folder, { token: hub.token(), newIdentity: true });
    await isSynced(renewed);
    expect(renewed.mid).not.toBe(clone.mid);
    expect((await renewed.instances.list()).length).toBe(1);
  });

  test("what the fleet ran is its own once it is removed from the fleet", async () => {
    hub.synced = () => ({
      answer: "set",
      revision: 1,
      bucket: "b1",
      orders: [order({ sid: "s1", url: URL })],
      name: "",
    });
    const folder = temporaryFolder(closers);
    const member = await start(folder);
    await isSynced(member);
    const [managed] = await member.instances.list();
    await expect(member.instances.remove(managed?.id ?? "")).rejects.toThrow(
      "managed by the fleet",
    );
    await member.stop();
    hub.synced = () => ({ answer: "evicted", reason: "removed by an admin" });
    const removed = await start(folder, {});
    await vi.waitFor(() => expect(removed.agent.status().state).toBe("left"), WAIT);
    await removed.instances.remove(managed?.id ?? "");
    expect(await removed.instances.list()).toEqual([]);
    await removed.stop();
    // Each start is no alarm: it is said once more, then no more.
    for (const times of [1, 0]) {
      const later = await start(folder, {});
      await later.master.started;
      expect(later.agent.status().state).toBe("left");
      await later.stop();
      expect(later.lines.filter((line) => line.includes("has left"))).toHaveLength(times);
    }
    expect(await leaveFleet(folder)).toMatchObject({ reason: "removed by an admin" });
    expect(await leaveFleet(folder)).toBeUndefined();
  });

  test("gets another JWT before the old one ends, and at once when it has ended", async () => {
    let life = 3000;
    hub.expiresAt = () => Date.now() + life;
    const member = await start();
    await isSynced(member);
    const { joins } = hub;
    life = 30 * 86_400_000;
    await vi.waitFor(() => expect(hub.joins).toBe(joins + 1), WAIT);
    expect(new Set(hub.nkeys.slice(-2)).size).toBe(1);
    await vi.waitFor(() => expect(member.lines.join("\n")).toContain("credentials renewed"), WAIT);
    const file = await FleetFile.open(member.directory);
    expect((file?.data.expires ?? 0) * 1000).toBeGreaterThan(Date.now() + life / 2);
    await isSynced(member);
    await member.stop();

    // It was away for too long.
    if (file !== undefined) {
      life = 1000;
      const short = await FleetFile.open(member.directory);
      const { data } = short ?? file;
      const { renewJwt } = await import("../src/join/join-fleet.ts");
      await renewJwt(data, "late");
      data.issued = data.expires = Math.floor(Date.now() / 1000) + 3000;
      await short?.save();
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    life = 30 * 86_400_000;
    const late = await start(member.directory, {});
    await isSynced(late);
    expect(late.lines.join("\n")).toContain("credentials renewed");
  });

  test("says why it gets none", async () => {
    hub.expiresAt = () => Date.now() + 1500;
    const member = await start();
    hub.refuseJoin = "the member's clock is 400 s behind the hub's, at most 300 s are allowed";
    await vi.waitFor(
      () =>
        expect(member.lines.join("\n")).toMatch(/credentials not renewed.*clock is 400 s behind/),
      WAIT,
    );
    await vi.waitFor(
      () => expect(member.agent.status().reason).toMatch(/credentials have expired/),
      WAIT,
    );
  });

  test("joins with the same keys when an answer was lost, and is nobody's member till then", async () => {
    const folder = temporaryFolder(closers);
    hub.loseAnswers = true;
    await expect(start(folder)).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(existsSync(join(folder, FLEET_FILE_NAME))).toBe(true);
    hub.loseAnswers = false;
    const [lost] = hub.nkeys.slice(-1);
    const member = await start(folder);
    expect(hub.nkeys.at(-1)).toBe(lost);
    await isSynced(member);
  });

  test("takes over another key of its fleet, at a sync or, when it was away, by a new join token", async () => {
    const folder = temporaryFolder(closers);
    const away = await start(folder);
    const member = await start();
    await isSynced(away);
    await isSynced(member);
    await away.stop();
    const former = hub.token();
    for (let step = 0; step < 3; step += 1) {
      hub.rotateBox();
      const before = syncs(member.mid);
      const session = hub.syncs.findLast(({ mid }) => mid === member.mid)?.sync.session ?? "";
      hub.tell(member.mid, "resync", { session, afterMs: 0 });
      await vi.waitFor(() => expect(syncs(member.mid)).toBeGreaterThan(before), WAIT);
      await isSynced(member);
      expect((await hub.api(member.mid, { path: "/api/info" })).status).toBe(200);
    }
    await expect(start(undefined, { token: former })).rejects.toThrow(
      /not the one whose fingerprint/,
    );

    // It may stay in a member's settings, also while no hub answers.
    const { directory } = member;
    await member.stop();
    const again = await start(directory, { token: former });
    await isSynced(again);
    await again.stop();
    const url = "http://127.44.3.9:1/api";
    const fp = fingerprintOf(createBoxKeys().publicKey);
    const unasked = await start(directory, { token: hub.token({ fp, url }) });
    await isSynced(unasked);
    expect(unasked.lines.join("\n")).toMatch(/warn fleet: not known whether .*can't be asked/);

    const joins = hub.joins;
    const back = await start(folder, { token: hub.token() });
    await isSynced(back);
    expect(back.mid).toBe(away.mid);
    expect(hub.joins).toBe(joins + 1);
    const { data } = (await FleetFile.open(folder)) ?? {};
    expect(data?.fingerprint).toBe(fingerprintOf(hub.secrets.boxKeys.publicKey));
    expect(data?.otherHubKeys).toEqual([]);
    expect((await hub.api(back.mid, { path: "/api/info" })).status).toBe(200);
  });

  test("takes no hub for its own that has not the fleet's key, and no second fleet", async () => {
    const folder = temporaryFolder(closers);
    const fp = fingerprintOf(createBoxKeys().publicKey);
    await expect(start(folder, { token: hub.token({ fp }) })).rejects.toMatchObject({
      code: "NOT_GENUINE",
    });
    expect(existsSync(join(folder, FLEET_FILE_NAME))).toBe(false);
    hub.refuseJoin = "this token was used";
    await expect(start(folder)).rejects.toMatchObject({
      code: "JOIN_REFUSED",
      message: expect.stringContaining("refuses: this token was used"),
    });
    hub.refuseJoin = undefined;
    await (await start(folder)).stop();
    hub.refuseJoin = "no such member";
    await expect(start(folder, { token: hub.token({ fp }) })).rejects.toMatchObject({
      code: "ALREADY_MEMBER",
      message: expect.stringContaining("refuses: no such member"),
    });
    hub.refuseJoin = undefined;
    const url = "http://127.44.3.9:1/api";
    await expect(
      start(temporaryFolder(closers), { token: hub.token({ url }) }),
    ).rejects.toMatchObject({ code: "UNREACHABLE" });
  });
});
