import { randomBytes } from "node:crypto";
import type { Chunk } from "@nodepass/fleet-protocol";
import { findNatsServer } from "test-support/nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HonestHub } from "./support/honest-hub.ts";
import { startMember, type TestMember, temporaryFolder } from "./support/member.ts";

const WAIT = { timeout: 20_000, interval: 20 };
const URL_WITH_KEY = "client://tunnelsecret@127.44.1.1:4201/127.44.1.1:4202?mode=1";

/** Chunks of one stream, in order. */
function collect() {
  const chunks: Chunk[] = [];
  const bytes = () => Buffer.concat(chunks.map(({ data }) => data));
  return {
    chunks,
    bytes,
    text: () => bytes().toString("utf8"),
    onChunk: (c: Chunk) => void chunks.push(c),
  };
}

describe.skipIf(findNatsServer() === undefined)("a member behind a real nats-server", () => {
  const closers: (() => unknown)[] = [];
  let hub: HonestHub;
  let member: TestMember;
  let mid: string;

  beforeAll(async () => {
    hub = await HonestHub.start();
  });
  afterAll(() => hub.close());

  beforeEach(async () => {
    member = await startMember(temporaryFolder(closers), { token: hub.token() });
    closers.push(() => member.stop());
    mid = member.mid;
    await vi.waitFor(() => expect(member.agent.status().state).toBe("synced"), WAIT);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test("has joined, says so, and is heard of", async () => {
    const [{ sync } = {}] = hub.syncs.filter((one) => one.mid === mid);
    expect(sync).toMatchObject({
      prefix: "/api",
      version: "9.8.7",
      revision: 0,
      bucket: "",
      parts: [],
    });
    await vi.waitFor(() => {
      const beat = hub.heartbeats.find((one) => one.mid === mid)?.beat;
      expect(beat).toMatchObject({ s: sync?.session, r: 0, n: [0, 0, 0], d: 0 });
    }, WAIT);
  });

  test("answers what its API answers, by the role or by its own key", async () => {
    const created = await hub.api(mid, {
      method: "POST",
      path: "/api/v1/instances",
      headers: [["content-type", "application/json"]],
      body: new TextEncoder().encode(JSON.stringify({ url: URL_WITH_KEY, alias: "web" })),
    });
    expect([created.status, created.streamed]).toEqual([201, false]);
    expect(JSON.parse(created.text)).toMatchObject({ alias: "web" });
    const direct = await member.master.app.request("/api/instances", {
      headers: { "X-API-Key": member.master.apiKey },
    });
    const keyed = await hub.api(mid, {
      path: "/api/instances",
      access: "key",
      headers: [["x-api-key", member.master.apiKey]],
    });
    expect(keyed.status).toBe(200);
    expect(JSON.parse(keyed.text)).toEqual(await direct.json());
    const names = (list: readonly (readonly [string, string])[]) => list.map(([name]) => name);
    const passed = ["content-type", "cache-control", "access-control-allow-origin"];
    expect(names(keyed.headers)).toEqual(expect.arrayContaining(passed));
    const wrong = { access: "key", headers: [["x-api-key", "wrong"]] } as const;
    const refused = await hub.api(mid, {
      path: "/api/instances",
      ...wrong,
      headers: [["x-api-key", "wrong"]],
    });
    expect(refused.status).toBe(401);
  });

  test("shows each role what is theirs", async () => {
    await member.instances.create({ url: URL_WITH_KEY });
    for (const [access, sees] of [
      ["viewer", false],
      ["operator", false],
      ["admin", true],
    ] as const) {
      const { status, text } = await hub.api(mid, { path: "/api/instances", access });
      expect([status, text.includes("tunnelsecret")], access).toEqual([200, sees]);
      expect(text).not.toContain(member.master.apiKey);
    }
    const denied = await hub.api(mid, {
      path: "/api/keys/full",
      method: "POST",
      access: "operator",
    });
    expect(denied.status).toBe(403);
    // A fleet's token is no key of this master, whatever the hub forgets to take off.
    const both = await hub.api(mid, {
      path: "/api/instances",
      method: "POST",
      access: "viewer",
      headers: [["x-api-key", member.master.apiKey]],
    });
    expect(both.status).toBe(403);
  });

  test("sends a long answer in pieces, as far as it is given credit", async () => {
    for (let n = 0; n < 120; n++) {
      await member.instances
        .create({ url: `${URL_WITH_KEY}&n=${"x".repeat(900)}`, alias: `i${n}` })
        .catch(() => undefined);
      const id = (await member.instances.list()).at(-1)?.id ?? "";
      await member.instances.update(id, { action: "stop" });
    }
    const got = collect();
    const head = await hub.api(mid, { path: "/api/instances", credit: 100_000 }, got.onChunk);
    expect([head.status, head.streamed, head.body.byteLength]).toEqual([200, true, 0]);
    await vi.waitFor(() => expect(got.bytes().byteLength).toBe(100_000), WAIT);
    expect(got.chunks.every(({ data }) => data.byteLength <= 65_536)).toBe(true);
    hub.tell(mid, "credit", { stream: head.stream, bytes: 5_000_000, cancel: false });
    await vi.waitFor(() => expect(got.chunks.at(-1)).toMatchObject({ end: true, error: "" }), WAIT);
    expect(got.chunks.map(({ n }) => n)).toEqual(got.chunks.map((_, n) => n));
    expect(JSON.parse(got.text())).toHaveLength(121);
  });

  test("passes its events on until the hub has enough", async () => {
    const got = collect();
    const head = await hub.api(mid, { path: "/api/events", access: "viewer" }, got.onChunk);
    expect([head.status, head.streamed]).toEqual([200, true]);
    await vi.waitFor(() => expect(got.text()).toContain('"type":"initial"'), WAIT);
    await member.instances.create({ url: URL_WITH_KEY, alias: "later" });
    await vi.waitFor(() => expect(got.text()).toContain('"alias":"later"'), WAIT);
    expect(got.text()).not.toContain("tunnelsecret");
    const metrics = async () => (await hub.api(mid, { path: "/api/metrics" })).text;
    const readers = (page: string) => /^nodepass_event_readers (\d+)$/m.exec(page)?.[1];
    const more = collect();
    const long = async () => {
      const page = await hub.api(mid, { path: "/api/metrics" }, more.onChunk);
      return page.streamed ? "" : readers(page.text);
    };
    expect(await long()).toBe("1");
    hub.tell(mid, "credit", { stream: head.stream, bytes: 0, cancel: true });
    await vi.waitFor(
      async () => expect(await metrics()).toContain("nodepass_event_readers 0"),
      WAIT,
    );
  });

  test("tells what happens to its instances while a hub watches, without keys", async () => {
    const told = () => hub.events.map(({ type, instance }) => `${type} ${instance.alias}`);
    hub.events.length = 0;
    await member.instances.create({ url: URL_WITH_KEY, alias: "there" });
    hub.tell(mid, "watch", { forMs: 60_000 });
    await vi.waitFor(() => expect(told()).toEqual(["initial there"]), WAIT);
    const { id } = (await member.instances.list())[0] ?? {};
    await member.instances.update(id ?? "", { alias: "named" });
    await vi.waitFor(() => expect(told()).toContain("update named"), WAIT);
    await member.instances.remove(id ?? "");
    await vi.waitFor(() => expect(told().at(-1)).toBe("delete named"), WAIT);
    expect(JSON.stringify(hub.events)).not.toContain("tunnelsecret");
    hub.tell(mid, "watch", { forMs: 0 });
    await hub.api(mid, { path: "/api/info" });
    const { length } = hub.events;
    await member.instances.create({ url: URL_WITH_KEY, alias: "unseen" });
    await hub.api(mid, { path: "/api/info" });
    expect(hub.events.length).toBe(length);
  });

  test("has at most 16 streams open", async () => {
    const heads = await Promise.all(
      Array.from({ length: 16 }, () => hub.api(mid, { path: "/api/events" })),
    );
    expect(heads.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200));
    const beyond = await hub.api(mid, { path: "/api/events" });
    expect([beyond.status, beyond.text]).toEqual([
      503,
      expect.stringContaining("too many streams"),
    ]);
  });

  test("refuses what is too large, and answers what it can't read with bad-message", async () => {
    const body = randomBytes(1_048_577);
    const large = await hub.api(mid, { path: "/api/instances", method: "POST", body });
    expect(large.status).toBe(413);
    const subject = `np.demo.m.${mid}.api`;
    const before = member.agent.status().badMessages;
    const bad = [
      new Uint8Array(),
      randomBytes(200),
      hub.seal(mid, subject, { method: 1 }),
      hub.seal(mid, `np.demo.m.${mid}.prepare`, { url: "", key: null }),
    ];
    for (const message of bad) {
      const answer = await hub.connection.request(subject, message, { timeout: 20_000 });
      expect([answer.headers?.get("Np-Refused"), answer.data.byteLength]).toEqual([
        "bad-message",
        0,
      ]);
    }
    const good = hub.seal(mid, subject, {
      method: "GET",
      path: "/api/info",
      headers: [],
      body: new Uint8Array(),
      access: "viewer",
      remote: "192.0.2.1",
      stream: "0123456789abcdef",
      credit: 0,
    });
    const once = await hub.connection.request(subject, good, { timeout: 20_000 });
    expect(once.headers?.get("Np-Refused") ?? "").toBe("");
    // What was said once is not heard twice.
    const again = await hub.connection.request(subject, good, { timeout: 20_000 });
    expect(again.headers?.get("Np-Refused")).toBe("bad-message");
    expect(member.agent.status().badMessages).toBe(before + bad.length + 1);
    expect((await hub.api(mid, { path: "/api/info" })).status).toBe(200);
  });

  test("no key, tunnel's URL or name is in what the engine carries", async () => {
    await member.instances.create({ url: URL_WITH_KEY, alias: "plain-alias" });
    await hub.api(mid, { path: "/api/instances" });
    const carried = Buffer.concat(hub.bodies).toString("latin1");
    expect(hub.bodies.length).toBeGreaterThan(2);
    for (const secret of ["tunnelsecret", "plain-alias", "127.44.1.1", member.master.apiKey]) {
      expect(carried).not.toContain(secret);
    }
  });
});

describe.skipIf(findNatsServer() === undefined)("a member with settings of its own", () => {
  test.each([
    [["read"], 200, 403],
    [["api"], 403, 201],
    [[], 403, 403],
  ] as const)("allow=%j", async (allow, reads, writes) => {
    const closers: (() => unknown)[] = [];
    const hub = await HonestHub.start();
    closers.push(() => hub.close());
    try {
      const member = await startMember(temporaryFolder(closers), { token: hub.token(), allow });
      closers.push(() => member.stop());
      await vi.waitFor(() => expect(member.agent.status().state).toBe("synced"), WAIT);
      expect(hub.syncs.at(-1)?.sync.allow).toEqual(allow);
      expect((await hub.api(member.mid, { path: "/api/info" })).status).toBe(reads);
      const body = new TextEncoder().encode(JSON.stringify({ url: URL_WITH_KEY }));
      const write = { path: "/api/instances", method: "POST", body };
      const answer = await hub.api(member.mid, {
        ...write,
        headers: [["content-type", "application/json"]],
      });
      expect(answer.status).toBe(writes);
      if (reads === 403) {
        expect((await hub.api(member.mid, { path: "/api/info" })).text).toContain(
          "do not allow read",
        );
      }
    } finally {
      for (const close of closers.reverse()) await close();
    }
  });
});
