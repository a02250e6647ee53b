import { MAX_CHUNK_BYTES } from "@nodepass/fleet-protocol";
import { rawRequest } from "test-support/raw-request";
import { describe, expect, it, vi } from "vitest";
import { addMember, addRealMaster, MID, startGateway } from "./support/start-gateway.ts";

const WINDOW = 4 * MAX_CHUNK_BYTES;
const get = (path: string, headers = "") =>
  `GET /api/masters/${MID}${path} HTTP/1.1\r\nHost: hub\r\n${headers}\r\n`;

/** A body that goes on for ever, and says when nobody wants it any more. */
function endless(piece: Uint8Array) {
  const made = { pieces: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        // Else nothing but this would run.
        await new Promise((resolve) => setImmediate(resolve));
        made.pieces += 1;
        controller.enqueue(piece);
      },
      cancel: () => {
        made.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { made, body };
}

const events = { "Content-Type": "text/event-stream" };

describe("a streamed answer", () => {
  it("carries a master's events as they happen, and its shutdown", async () => {
    const gateway = await startGateway();
    const { master, direct } = await addRealMaster(gateway);
    const key = `X-API-Key: ${master.apiKey}\r\n`;
    const reader = rawRequest(gateway.port, get("/api/events", `${key}Accept-Encoding: gzip\r\n`));
    await vi.waitFor(() => expect(reader.text()).toContain('"id":"********"'));
    expect(reader.text()).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(reader.text()).toMatch(/\r\ncontent-type: text\/event-stream\r\n/i);
    expect(reader.text()).toContain("retry: 3000\n\n");
    const created = await fetch(`${gateway.base}/api/instances`, {
      method: "POST",
      headers: { "X-API-Key": master.apiKey },
      body: JSON.stringify({ url: "client://127.0.0.1:0/127.0.0.1:9?mode=1" }),
    });
    const { id } = (await created.json()) as { id: string };
    await vi.waitFor(() =>
      expect(reader.text()).toMatch(new RegExp(`"type":"create".*"id":"${id}"`)),
    );
    const gone = await fetch(`${direct}/api/instances/${id}`, {
      method: "DELETE",
      headers: { "X-API-Key": master.apiKey },
    });
    expect(gone.status).toBe(204);
    await vi.waitFor(() =>
      expect(reader.text()).toMatch(new RegExp(`"type":"delete".*"id":"${id}"`)),
    );
    await master.close({ timeoutMs: 1000 });
    const { text, clean } = await reader.over;
    expect(clean).toBe(true);
    expect(text).toMatch(/"type":"shutdown".*\n\n\r\n0\r\n\r\n$/);
  });

  it("of events ends with the hub as with its master; what has to be whole breaks off", async () => {
    const gateway = await startGateway();
    const { master } = await addRealMaster(gateway);
    const key = `X-API-Key: ${master.apiKey}\r\n`;
    const own = rawRequest(gateway.port, get("/api/v1/events", key));
    await vi.waitFor(() => expect(own.text()).toContain('"id":"********"'));
    const never = (first: string) =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode(first)),
      });
    const others = [];
    for (const [first, path, headers] of [
      ["data: 1\n\n", "/v2", events],
      ["data: 1\n\ndata: ha", "/events", events],
      ["x".repeat(MAX_CHUNK_BYTES + 1), "/file", {}],
    ] as const) {
      const mid = `00000000000000c${others.length}`;
      gateway.fleet.addMaster(mid, {});
      addMember(gateway, () => new Response(never(first), { headers }), mid);
      const head = `GET /api/masters/${mid}/api${path} HTTP/1.1\r\nHost: hub\r\n${key}\r\n`;
      const reader = rawRequest(gateway.port, head);
      others.push(reader);
      await vi.waitFor(() => expect(reader.text()).toContain(first.slice(-5)));
    }
    await gateway.api.close();
    const { text, clean } = await own.over;
    expect(text).toMatch(/event: instance\ndata: {"type":"shutdown".*\n\n\r\n0\r\n\r\n$/);
    expect(clean).toBe(true);
    const ends = await Promise.all(others.map(({ over }) => over));
    expect(ends.map((end) => end.text.endsWith("\r\n0\r\n\r\n"))).toEqual([true, false, false]);
    expect(ends[0]?.text).not.toContain("shutdown");
    await vi.waitFor(() => expect(gateway.messenger.sending.size).toBe(0));
  });

  it("comes whole when it is longer than a message, and leaves the connection usable", async () => {
    const gateway = await startGateway();
    const whole = Buffer.alloc(3_000_001, "nodepass ");
    addMember(gateway, () => new Response(whole, { headers: { "Content-Type": "text/plain" } }));
    for (let round = 0; round < 3; round++) {
      const response = await fetch(`${gateway.base}/api/long`);
      expect(response.headers.get("connection")).toBe("keep-alive");
      expect(Buffer.from(await response.arrayBuffer()).equals(whole)).toBe(true);
    }
    await vi.waitFor(() => expect(gateway.messenger.sending.size).toBe(0));
  });

  it("holds the master back while the reader takes nothing", async () => {
    const gateway = await startGateway();
    const { made, body } = endless(new Uint8Array(MAX_CHUNK_BYTES).fill(97));
    addMember(gateway, () => new Response(body, { headers: events }));
    const reader = rawRequest(gateway.port, get("/api/events"));
    reader.pause();
    const sent = () => [...gateway.messenger.sending.values()][0]?.sent.bytes ?? 0;
    // What the kernel takes for a reader that reads nothing, and then the window.
    await vi.waitFor(() => expect(sent()).toBeGreaterThanOrEqual(WINDOW));
    let before = -1;
    await vi.waitFor(
      () => {
        const now = made.pieces;
        const settled = now === before;
        before = now;
        expect(settled).toBe(true);
      },
      { interval: 200, timeout: 20_000 },
    );
    const held = made.pieces;
    expect(held * MAX_CHUNK_BYTES).toBeLessThan(16 * 2 ** 20);
    reader.resume();
    await vi.waitFor(() => expect(made.pieces).toBeGreaterThan(held + 20));
    reader.destroy();
    await vi.waitFor(() => expect(made.cancelled).toBe(true));
  });

  it("ends at the master when the client leaves, and its place is free", async () => {
    const gateway = await startGateway({ maxStreams: 1 });
    const { made, body } = endless(new TextEncoder().encode("data: x\n\n"));
    const bodies = [body, endless(new TextEncoder().encode("data: z\n\n")).body];
    addMember(gateway, () => new Response(bodies.shift() ?? null, { headers: events }));
    const reader = rawRequest(gateway.port, get("/api/events"));
    await vi.waitFor(() => expect(reader.text()).toContain("data: x"));
    const second = await fetch(`${gateway.base}/api/events`);
    expect(second.status).toBe(503);
    expect(second.headers.get("retry-after")).toBe("1");
    expect(await second.json()).toEqual({ error: "the hub has 1 streams open already" });
    reader.destroy();
    await vi.waitFor(() => expect(made.cancelled).toBe(true));
    const { messenger } = gateway;
    expect(messenger.credits.some(({ cancel }) => cancel)).toBe(true);
    await vi.waitFor(() =>
      expect(messenger.closed.length).toBe(messenger.members.get(MID)?.asked.length),
    );
    addMember(gateway, () => new Response("data: y\n\n", { headers: events }));
    expect(await (await fetch(`${gateway.base}/api/events`)).text()).toBe("data: y\n\n");
  });

  it("is given up at the master when the client leaves before there is an answer", async () => {
    const gateway = await startGateway();
    let asked = 0;
    addMember(gateway, () => {
      asked += 1;
      return new Promise<Response>(() => undefined);
    });
    const reader = rawRequest(gateway.port, get("/api/slow"));
    await vi.waitFor(() => expect(asked).toBe(1));
    reader.destroy();
    await vi.waitFor(() =>
      expect(gateway.messenger.credits).toMatchObject([{ mid: MID, bytes: 0, cancel: true }]),
    );
  });
});

describe.each([
  ["is lost", "lose"],
  ["was started anew", "restart"],
] as const)("a master that %s in the middle of a stream", (_what, happens) => {
  it("breaks the connection off: a clean end would be a lie", async () => {
    const gateway = await startGateway();
    const { body } = endless(new TextEncoder().encode("data: x\n\n"));
    addMember(gateway, () => new Response(body, { headers: events }));
    const reader = rawRequest(gateway.port, get("/api/events"));
    await vi.waitFor(() => expect(reader.text()).toContain("data: x"));
    gateway.messenger[happens](MID);
    const { text } = await reader.over;
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});

it.each([
  ["a piece is lost", (n: number) => n === 2, "swallow"],
  ["the master says that it broke off", (n: number) => n === 2, "error"],
] as const)("breaks a long answer off when %s", async (_what, when, how) => {
  const gateway = await startGateway();
  const whole = Buffer.alloc(2_000_000, "nodepass ");
  addMember(gateway, () => new Response(whole, { headers: { "Content-Type": "text/plain" } }));
  gateway.messenger.onTheWay = (chunk) => {
    if (!when(chunk.n)) return chunk;
    return how === "swallow" ? undefined : { ...chunk, error: "the disk is on fire" };
  };
  const { text } = await rawRequest(gateway.port, get("/api/long")).over;
  expect(text).toMatch(/^HTTP\/1.1 200 OK/);
  expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  // What went wrong is no part of what the master said.
  expect(text).not.toMatch(/fire|missing|Error/);
});

it("breaks a stream off whose master is silent, but not one whose reader is slow", async () => {
  const gateway = await startGateway({ silenceMs: 300 });
  const silent = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
  });
  addMember(gateway, () => new Response(silent, { headers: events }));
  const { text } = await rawRequest(gateway.port, get("/api/events")).over;
  expect(text).toContain("data: x");
  expect(text).not.toMatch(/\r\n0\r\n\r\n$/);

  const { made, body } = endless(new Uint8Array(MAX_CHUNK_BYTES).fill(97));
  addMember(gateway, () => new Response(body, { headers: events }));
  const slow = rawRequest(gateway.port, get("/api/events"));
  slow.pause();
  let over = false;
  void slow.over.then(() => {
    over = true;
  });
  await vi.waitFor(() => expect(made.pieces).toBeGreaterThan(4));
  let checks = 0;
  await vi.waitFor(() => expect(++checks).toBeGreaterThan(8), { interval: 200, timeout: 20_000 });
  expect(over).toBe(false);
  expect(made.cancelled).toBe(false);
});

it("takes no more from a master than it allowed", async () => {
  const gateway = await startGateway();
  const { made, body } = endless(new Uint8Array(MAX_CHUNK_BYTES).fill(97));
  addMember(gateway, () => new Response(body, { headers: events }));
  // A master that does as it likes.
  const { messenger } = gateway;
  const api = messenger.api.bind(messenger);
  messenger.api = (mid, message, ...rest) => api(mid, { ...message, credit: 2 ** 40 }, ...rest);
  const reader = rawRequest(gateway.port, get("/api/events"));
  reader.pause();
  const cancelled = () => messenger.credits.some(({ cancel }) => cancel);
  await vi.waitFor(() => expect(cancelled()).toBe(true), { timeout: 20_000 });
  expect(made.pieces * MAX_CHUNK_BYTES).toBeLessThan(16 * 2 ** 20);
  reader.resume();
  expect((await reader.over).text).not.toMatch(/\r\n0\r\n\r\n$/);
});
