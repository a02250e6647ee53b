import {
  createMasterClient,
  type Fetch,
  followEvents,
  type MasterClient,
  MasterClientError,
  parseMasterAddress,
  readInstance,
} from "@nodepass/master-client";
import { describe, expect, it, vi } from "vitest";
import { startMaster } from "./support/start-master.ts";

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: {
    readonly schemas: Readonly<
      Record<string, { readonly properties?: Readonly<Record<string, unknown>> }>
    >;
  };
}

/** Shown to people, or what the client's own user does with the documentation. */
const NOT_ASKED = new Set(["get /docs", "get /docs/{file}"]);

async function setUp() {
  const { master } = await startMaster();
  const asked: string[] = [];
  const fetch: Fetch = (url, init) => {
    const { pathname } = new URL(url);
    asked.push(`${init.method.toLowerCase()} ${pathname.replace(/^\/api(\/v1)?/, "")}`);
    return globalThis.fetch(url, init);
  };
  const client = createMasterClient({
    address: parseMasterAddress(master.url),
    key: master.apiKey,
    fetch,
  });
  const document = (await client.openApi()) as unknown as Document;
  return { master, client, asked, document };
}

/** Every call once. */
async function useAll(client: MasterClient): Promise<void> {
  const { id } = await client.create("client://127.81.5.1:0/127.81.5.1:9?mode=1", "web");
  await client.list();
  await client.get(id);
  expect(await client.access()).toBe("full");
  await client.change(id, { alias: "other" });
  await client.replaceUrl(id, "client://127.81.5.1:0/127.81.5.1:8?mode=1");
  await client.logs(id, { tail: 1, since: new Date(0) });
  await client.history(id, "day");
  await client.bans(id);
  await client.liftBans(id);
  await client.ports(id);
  await client.info();
  await client.rename("here");
  await client.tcping("127.81.5.1:9");
  await client.metrics();
  await client.createEventTicket();
  await client.renewReadKey();
  await client.isAlive();
  await client.readiness();
  const ended = new AbortController();
  await followEvents(client, { signal: ended.signal, onEvent: () => ended.abort() });
  await client.remove(id);
}

describe("the typed client", () => {
  it("knows every route of the document, and none beside", async () => {
    const { client, asked, document } = await setUp();
    await useAll(client);
    const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    const patterns = documented
      .filter((operation) => !NOT_ASKED.has(operation))
      .map((text) => [text, new RegExp(`^${text.replace(/\{\w+\}/g, "[^/]+")}$`)] as const);
    expect(patterns.length).toBeGreaterThan(15);
    const missing = patterns.filter(([, pattern]) => !asked.some((one) => pattern.test(one)));
    expect(missing.map(([text]) => text)).toEqual([]);
    const unknown = asked.filter((one) => !patterns.some(([, pattern]) => pattern.test(one)));
    expect(unknown).toEqual([]);
  });

  it("has every field of the document's instances", async () => {
    const { document } = await setUp();
    const { ReplacedInstance } = document.components.schemas;
    const names = Object.keys(ReplacedInstance?.properties ?? {});
    expect(names.length).toBeGreaterThan(20);
    const read = readInstance({ id: "a1b2c3d4", type: "server" });
    // `meta` is taken apart.
    const known = [...Object.keys(read ?? {}), "meta"];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });

  it("tells what was overlooked and changed, lines, history and readiness", async () => {
    const { client } = await setUp();
    const made = await client.create("client://127.81.5.1:0/127.81.5.1:9?mode=1&rat=3");
    expect(made.warnings).toEqual([expect.stringContaining("rat")]);
    expect(made).toMatchObject({ link: "none", reason: "", nextRetry: undefined });
    const { changes } = await client.replaceUrl(
      made.id,
      "client://127.81.5.1:0/127.81.5.1:9?mode=1&rate=3",
    );
    expect(changes).toEqual({ inPlace: ["rate"], restarted: [] });
    const { lines } = await client.logs(made.id);
    expect(lines.map(({ line }) => line).join()).toContain("part of the URL overlooked");
    expect(await client.history(made.id)).toMatchObject({ step: 5 });
    expect(await client.readiness()).toEqual({
      isReady: true,
      lines: ["state ok", "workers ok"],
    });
    await expect(client.logs("nobody")).rejects.toMatchObject({ code: "NOT_FOUND", status: 404 });
  });

  it("tells a key that may only read, and what is not there at the first look", async () => {
    const { master, client } = await setUp();
    const address = parseMasterAddress(master.url);
    const reader = createMasterClient({ address, key: await client.renewReadKey() });
    expect(await reader.access()).toBe("read");
    const fresh = createMasterClient({ address, key: master.apiKey });
    await expect(fresh.get("nobody")).rejects.toMatchObject({ code: "NOT_FOUND", status: 404 });
  });

  it("opens events with a ticket, without the key", async () => {
    const { master } = await setUp();
    const headers: unknown[] = [];
    const client = createMasterClient({
      address: parseMasterAddress(master.url),
      key: master.apiKey,
      eventTickets: true,
      fetch: (url, init) => {
        if (url.includes("/events?")) headers.push(init.headers);
        return globalThis.fetch(url, init);
      },
    });
    const ended = new AbortController();
    await client.create("client://127.81.5.1:0/127.81.5.1:9?mode=1");
    await followEvents(client, { signal: ended.signal, onEvent: () => ended.abort() });
    expect(headers).toHaveLength(1);
    expect(JSON.stringify(headers)).not.toContain(master.apiKey);
  });

  it("comes back after a lost stream and tells what was deleted meanwhile", async () => {
    const { master, client } = await setUp();
    const gone = await client.create("client://127.81.5.1:0/127.81.5.1:9?mode=1");
    const stays = await client.create("client://127.81.5.1:0/127.81.5.1:9?mode=1");
    const ended = new AbortController();
    const told: string[] = [];
    let isAway = false;
    const watcher = createMasterClient({
      address: parseMasterAddress(master.url),
      key: master.apiKey,
      fetch: async (url, init) => {
        if (isAway) throw new TypeError("away");
        return globalThis.fetch(url, init);
      },
    });
    const following = followEvents(watcher, {
      signal: ended.signal,
      firstWaitMs: 10,
      onEvent: ({ type, instance }) => told.push(`${type} ${instance?.id}`),
      onLost: () => {
        isAway = true;
      },
    });
    await vi.waitFor(() => expect(told).toContain(`initial ${stays.id}`));
    // A new key ends the streams; the watcher is given it when it comes back.
    const key = await client.renewKey();
    await vi.waitFor(() => expect(isAway).toBe(true));
    await client.remove(gone.id);
    told.length = 0;
    watcher.setKey(key);
    isAway = false;
    await vi.waitFor(() => expect(told).toContain(`initial ${stays.id}`));
    expect(told).toContain(`delete ${gone.id}`);
    ended.abort();
    await following;
  });

  it("says what went wrong by code", async () => {
    const { master } = await setUp();
    const address = parseMasterAddress(master.url);
    const wrong = createMasterClient({ address, key: "wrong" });
    await expect(wrong.list()).rejects.toMatchObject({ code: "UNAUTHORIZED", status: 401 });
    const nobody = createMasterClient({ address: parseMasterAddress("127.81.5.9:1"), key: "k" });
    await expect(nobody.list()).rejects.toBeInstanceOf(MasterClientError);
    await expect(nobody.list()).rejects.toMatchObject({ code: "UNREACHABLE" });
  });
});
