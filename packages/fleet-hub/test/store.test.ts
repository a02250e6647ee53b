import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { createDataKey, type ServiceRecord, storeNames } from "@nodepass/fleet-protocol";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { EngineLink } from "../src/engine/engine-link.ts";
import { type FleetStore, StoreError } from "../src/store/fleet-store.ts";
import { createIndex } from "../src/store/memory-index.ts";
import { openTestStore } from "./support/open-test-store.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const KEY = "cafe0123456789abcafe0123456789ab";

function service(alias: string, owner: string | null = null): ServiceRecord {
  return {
    v: 1,
    alias,
    tags: {},
    policy: { failover: "off", ttl: 15, failback: "never" },
    by: "test",
    at: 1,
    detached: false,
    parts: [
      {
        role: "server",
        owner,
        from: null,
        to: null,
        epoch: 1,
        running: true,
        url: `server://${KEY}@0.0.0.0:1/:2`,
        sel: "",
        home: null,
        adopt: null,
      },
    ],
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

/** Every count is taken once, whoever asks at the same moment. */
async function countTo(store: FleetStore, sid: string, writers: number, each: number) {
  await store.services.create(sid, service("0"));
  let conflicts = 0;
  const write = async () => {
    for (let done = 0; done < each; ) {
      const found = await store.services.get(sid);
      if (found === undefined) throw new Error("gone");
      const next = { ...found.value, alias: String(Number(found.value.alias) + 1) };
      const code = await codeOf(store.services.update(sid, next, found.revision));
      if (code === "none") done += 1;
      else if (code === "CONFLICT") conflicts += 1;
      else throw new Error(code);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return { conflicts, count: (await store.services.get(sid))?.value.alias };
}

here("the store on one server", () => {
  let fleet: TestFleet;
  let store: FleetStore;
  let link: EngineLink;
  beforeAll(async () => {
    fleet = await TestFleet.start();
    ({ store, link } = await openTestStore(fleet));
  });
  afterAll(async () => {
    await link.close();
    await fleet.close();
  });

  test("creates, changes and removes by revision", async () => {
    const first = await store.services.create("one", service("a"));
    expect(await codeOf(store.services.create("one", service("b")))).toBe("CONFLICT");
    const second = await store.services.update("one", service("c"), first);
    expect(second).toBeGreaterThan(first);
    expect(await codeOf(store.services.update("one", service("d"), first))).toBe("CONFLICT");
    expect(await codeOf(store.services.remove("one", first))).toBe("CONFLICT");
    expect(await store.services.get("one")).toEqual({ value: service("c"), revision: second });
    const marker = await store.services.remove("one", second);
    expect(marker).toBeGreaterThan(second);
    expect(await store.services.get("one")).toBeUndefined();
    expect(await store.services.revision()).toBe(marker);
    expect(await store.services.create("one", service("e"))).toBeGreaterThan(marker);
    expect(await store.services.get("none")).toBeUndefined();
  });

  test("20 writers of one record: each change is made once", async () => {
    const { conflicts, count } = await countTo(store, "counted", 20, 10);
    expect(count).toBe("200");
    expect(conflicts).toBeGreaterThan(0);
  });

  test("shows the engine nothing of a record, and refuses one beyond 64 KiB", async () => {
    await store.services.create("sealed", service("a"));
    const manager = await jetstreamManager(link.connection);
    const { services } = storeNames("test");
    const subject = `$KV.${services}.sealed`;
    const kept = await manager.streams.getMessage(`KV_${services}`, { last_by_subj: subject });
    expect(kept?.data.byteLength).toBeGreaterThan(100);
    expect(Buffer.from(kept?.data ?? []).includes(KEY)).toBe(false);
    const big = { ...service("a"), tags: { big: "x".repeat(65_536) } };
    expect(await codeOf(store.services.create("big", big))).toBe("TOO_LARGE");
    const most = { ...service("a"), tags: { big: "x".repeat(65_000) } };
    expect(await codeOf(store.services.create("most", most))).toBe("none");
  });

  test("makes the buckets as they are to be, and the audit so that nothing is taken out of it", async () => {
    const manager = await jetstreamManager(link.connection);
    const { services, audit } = storeNames("test");
    const { config } = await manager.streams.info(`KV_${services}`);
    expect(config).toMatchObject({ max_msgs_per_subject: 1, num_replicas: 1, storage: "file" });
    const kept = (await manager.streams.info(audit)).config;
    expect(kept).toMatchObject({
      deny_delete: true,
      deny_purge: true,
      max_age: 90 * 86_400 * 1e9,
      max_bytes: 1_073_741_824,
    });
    const entry = {
      time: "2026-11-26T07:00:00.000Z",
      token: "t",
      role: "admin",
      from: "127.0.0.1",
      action: "service.create",
      object: "one",
      before: null,
      after: null,
      outcome: "done",
      detail: "",
    } as const;
    const sequences: number[] = [];
    for (const object of ["a", "b", "c"]) sequences.push(await store.audit({ ...entry, object }));
    const [first, second, third] = sequences;
    const objects = async (query: Parameters<FleetStore["readAudit"]>[0]) =>
      (await store.readAudit(query)).map(({ object }) => object);
    expect(await objects({ limit: 2 })).toEqual(["c", "b"]);
    expect(await objects({ limit: 10, before: second })).toEqual(["a"]);
    expect(await objects({ limit: 10, before: first })).toEqual([]);
    expect(await store.readAudit({ limit: 1 })).toEqual([
      { sequence: third, ...entry, object: "c" },
    ]);
    await expect(manager.streams.purge(audit)).rejects.toThrow();
    await expect(manager.streams.deleteMessage(audit, first ?? 0)).rejects.toThrow();
    // One that cannot be read is shown as such, not left out.
    await jetstream(link.connection).publish("np.test.audit", new Uint8Array([1, 2, 3]));
    expect((await store.readAudit({ limit: 1 }))[0]).toMatchObject({ action: "unreadable" });
  });

  test("a bad record is skipped and named, and what follows is seen", async () => {
    const index = await createIndex(store);
    await index.loaded();
    const { services } = storeNames("test");
    const bytes = jetstream(link.connection);
    await bytes.publish(`$KV.${services}.bad`, new Uint8Array([0xff, 0, 1]));
    await bytes.publish(`$KV.${services}.empty`, new Uint8Array(0));
    // A good record under another's name: the seal is bound to the place.
    const manager = await jetstreamManager(link.connection);
    await store.services.create("good", service("a"));
    const subject = `$KV.${services}.good`;
    const good = await manager.streams.getMessage(`KV_${services}`, { last_by_subj: subject });
    await bytes.publish(`$KV.${services}.moved`, good?.data ?? new Uint8Array(0));
    await store.services.create("after", service("b"));
    await vi.waitFor(() => expect(index.services.has("after")).toBe(true));
    expect([...index.bad.keys()].sort()).toEqual(["svc/bad", "svc/empty", "svc/moved"]);
    // Again from the beginning.
    const other = await createIndex(store);
    await other.loaded();
    expect(other.services.has("after")).toBe(true);
    expect([...other.bad.keys()].sort()).toEqual(["svc/bad", "svc/empty", "svc/moved"]);
    // Written anew it is no bad one any more.
    const bad = await bytes.publish(`$KV.${services}.bad`, new Uint8Array(1));
    await store.services.update("bad", service("c"), bad.seq);
    await vi.waitFor(() => expect(other.bad.has("svc/bad")).toBe(false));
    expect(other.services.get("bad")?.value.alias).toBe("c");
    index.close();
    other.close();
  });

  test("records get the new data key's seal, and the former one is needed no more", async () => {
    const own = await TestFleet.start();
    try {
      const { dataKeys } = own.created.hub.secrets;
      const next = createDataKey();
      const before = await openTestStore(own);
      const first = await before.store.services.create("a", service("a"));
      const second = await before.store.services.create("b", service("b"));
      expect(await before.reseal()).toBe(0);
      const between = await openTestStore(own, [next, ...dataKeys]);
      await between.store.services.update("b", service("c"), second);
      const leader = await between.store.leader.create("leader", { v: 1, hub: "h", nonce: "n" });
      // The other record, and the bucket's identity.
      expect(await between.reseal()).toBe(2);
      expect(await between.reseal()).toBe(0);
      const after = await openTestStore(own, [next]);
      expect((await after.store.services.get("a"))?.value).toEqual(service("a"));
      expect((await after.store.services.get("a"))?.revision).toBeGreaterThan(first);
      expect((await after.store.services.get("b"))?.value).toEqual(service("c"));
      expect(after.store.identity).toEqual(before.store.identity);
      expect((await after.store.leader.get("leader"))?.revision).toBe(leader);
      for (const { link: each } of [before, between, after]) await each.close();
    } finally {
      await own.close();
    }
  });

  test("old removal markers are swept, and nothing that was made again meanwhile", async () => {
    const { sweep, link: own } = await openTestStore(fleet);
    const gone = await store.services.create("gone", service("a"));
    await store.services.remove("gone", gone);
    const again = await store.services.create("again", service("a"));
    await store.services.remove("again", again);
    const back = await store.services.create("again", service("b"));
    const highest = await store.services.revision();
    const manager = await jetstreamManager(link.connection);
    const { services } = storeNames("test");
    const markers = async () => {
      const subjects_filter = `$KV.${services}.gone`;
      const { state } = await manager.streams.info(`KV_${services}`, { subjects_filter });
      return Object.keys(state.subjects ?? {}).length;
    };
    expect(await sweep(0)).toBe(0);
    expect(await markers()).toBe(1);
    expect(await sweep(Date.now() + 60_000)).toBeGreaterThan(0);
    expect(await markers()).toBe(0);
    expect(await store.services.get("again")).toEqual({ value: service("b"), revision: back });
    // How far the store is does not go back: members compare it with what they have applied.
    expect(await store.services.revision()).toBe(highest);
    const index = await createIndex(store);
    await index.loaded();
    expect(index.revision).toBe(highest);
    index.close();
    await own.close();
  });

  test("opens nothing with another data key", async () => {
    const other = await openTestStore(fleet, [createDataKey()]).then(
      () => "opened",
      (error: unknown) => (error instanceof StoreError ? error.message : "another error"),
    );
    expect(other).toContain("another data key");
  });

  test("is known again by the next hub that opens it", async () => {
    const again = await openTestStore(fleet);
    expect(again.isNew).toBe(false);
    expect(again.store.identity).toEqual(store.identity);
    await again.link.close();
  });

  test("a watch goes on behind what it told, through a killed engine", async () => {
    const index = await createIndex(store);
    await index.loaded();
    const told: string[] = [];
    index.onService((sid, now) => told.push(`${sid} ${now === undefined ? "gone" : "there"}`));
    const before = await store.services.create("before", service("a"));
    await vi.waitFor(() => expect(told).toEqual(["before there"]));
    const [server] = fleet.servers;
    await server?.kill();
    await vi.waitFor(() => expect(link.isConnected()).toBe(false));
    // Nothing is kept to be sent later.
    expect(await codeOf(store.services.create("while", service("a")))).toBe("UNAVAILABLE");
    await server?.restart();
    await vi.waitFor(() => expect(link.isConnected()).toBe(true), { timeout: 30_000 });
    const back = performance.now();
    await store.services.remove("before", before);
    await store.services.create("later", service("b"));
    await vi.waitFor(() => expect(told).toHaveLength(3), { timeout: 30_000 });
    expect(told).toEqual(["before there", "before gone", "later there"]);
    expect(performance.now() - back).toBeLessThan(14_000);
    expect(await store.services.get("while")).toBeUndefined();
    index.close();
  });

  test("a bucket that was lost is told from the beginning, and what is gone as lost", async () => {
    const index = await createIndex(store);
    await index.loaded();
    const size = index.services.size;
    expect(size).toBeGreaterThan(1);
    const lost: (readonly string[])[] = [];
    const revisions = new Set<number | undefined>();
    index.onLost((keys) => lost.push(keys));
    const names: string[] = [];
    index.onReread(() => names.push(store.identity.nonce));
    index.onService((_, now, __, revision) => {
      if (now === undefined) revisions.add(revision);
    });
    const manager = await jetstreamManager(link.connection);
    await manager.streams.delete(`KV_${storeNames("test").services}`);
    const fresh = await openTestStore(fleet);
    const { identity } = store;
    expect(fresh.store.identity.nonce).not.toBe(identity.nonce);
    await fresh.store.services.create("new", service("n"));
    await vi.waitFor(() => expect([...index.services.keys()]).toEqual(["new"]), {
      timeout: 40_000,
      interval: 200,
    });
    expect(lost.flat()).toHaveLength(size);
    // Known as another one before anything of it was told.
    expect(names).toEqual([fresh.store.identity.nonce]);
    expect(store.identity).toEqual(fresh.store.identity);
    // No removal that anybody ordered.
    expect([...revisions]).toEqual([undefined]);
    index.close();
    await fresh.link.close();
  });
});

here("the store on three servers", () => {
  let fleet: TestFleet;
  let store: FleetStore;
  let link: EngineLink;
  beforeAll(async () => {
    fleet = await TestFleet.start(3);
    ({ store, link } = await openTestStore(fleet));
  });
  afterAll(async () => {
    await link.close();
    await fleet.close();
  });

  test("keeps each record three times, and counts right with 20 writers", async () => {
    const manager = await jetstreamManager(link.connection);
    const names = storeNames("test");
    for (const name of [`KV_${names.services}`, `KV_${names.control}`, names.audit]) {
      expect((await manager.streams.info(name)).config.num_replicas).toBe(3);
    }
    const { count } = await countTo(store, "counted", 20, 5);
    expect(count).toBe("100");
  });

  test("goes on, and its watches too, when one server is killed", async () => {
    const index = await createIndex(store);
    await index.loaded();
    const connected = fleet.servers.find(({ url }) => link.connection.getServer().endsWith(url));
    expect(connected).toBeDefined();
    await connected?.kill();
    const write = async () => {
      const revision = await store.services.create("after", service("a"));
      expect(revision).toBeGreaterThan(0);
    };
    await vi.waitFor(write, { timeout: 40_000, interval: 500 });
    await vi.waitFor(() => expect(index.services.has("after")).toBe(true), { timeout: 40_000 });
    index.close();
    await connected?.restart();
  });
});
