import { randomBytes } from "node:crypto";
import {
  type ApiAnswer,
  type ApiRequest,
  type Chunk,
  MAX_CHUNK_BYTES,
} from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FleetHub } from "../src/index.ts";
import type { SimulatedMember } from "./support/simulated-member.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const LONG = { timeout: 60_000, interval: 50 };

function request(change: Partial<ApiRequest> = {}): ApiRequest {
  return {
    method: "GET",
    path: "/api/v1/info",
    headers: [],
    body: new Uint8Array(0),
    access: "viewer",
    remote: "127.0.0.1",
    stream: randomBytes(16).toString("hex"),
    credit: 2 * MAX_CHUNK_BYTES,
    ...change,
  };
}

const streamed: ApiAnswer = { status: 200, headers: [], body: new Uint8Array(0), streamed: true };

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

here("what a hub asks of its members", () => {
  let fleet: TestFleet;
  let hub: FleetHub;
  let member: SimulatedMember;
  let mid: string;
  const big = randomBytes(10 * MAX_CHUNK_BYTES + 17);
  let handle: (request: ApiRequest, member: SimulatedMember) => ApiAnswer | Promise<ApiAnswer>;
  beforeAll(async () => {
    fleet = await TestFleet.start();
    hub = await fleet.hub();
    member = await fleet.member(hub, { api: (asked, self) => handle(asked, self) });
    ({ mid } = member.identity);
  });
  afterAll(() => fleet.close());

  test("a short answer comes whole, and its body and headers as they were", async () => {
    handle = ({ method, path, body, access, remote }) => ({
      status: 201,
      headers: [["x-a", "b"]],
      body: Buffer.concat([Buffer.from(`${method} ${path} ${access} ${remote} `), body]),
      streamed: false,
    });
    const body = new Uint8Array(randomBytes(1000));
    const answer = await hub.messenger.api(
      mid,
      request({ method: "POST", body, access: "operator" }),
      () => undefined,
    );
    expect(answer).toMatchObject({ status: 201, headers: [["x-a", "b"]], streamed: false });
    const said = Buffer.from(answer.body);
    expect(said.toString("latin1")).toContain("POST /api/v1/info operator 127.0.0.1 ");
    expect(said.subarray(-1000)).toEqual(Buffer.from(body));
  });

  test("a long answer comes in pieces, no more at once than there is credit for", async () => {
    handle = () => ({ ...streamed, body: new Uint8Array(big), streamed: false });
    const chunks: Chunk[] = [];
    let credit = 2 * MAX_CHUNK_BYTES;
    let taken = 0;
    const asked = request({ credit });
    const done = new Promise<void>((resolve) => {
      void hub.messenger.api(mid, asked, (chunk) => {
        chunks.push(chunk);
        taken += chunk.data.byteLength;
        expect(taken).toBeLessThanOrEqual(credit);
        if (chunk.end) resolve();
        else if (taken === credit) {
          // Read, a while later.
          setTimeout(() => {
            credit += MAX_CHUNK_BYTES;
            const { stream } = asked;
            hub.messenger.credit(mid, { stream, bytes: MAX_CHUNK_BYTES, cancel: false });
          }, 5);
        }
      });
    });
    await done;
    expect(Buffer.concat(chunks.map(({ data }) => data))).toEqual(big);
    expect(chunks.map(({ n }) => n)).toEqual(chunks.map((_, place) => place));
  });

  test("a missing piece, and one that is too big, break the answer off at both ends", async () => {
    const cases: { n: number; data: Uint8Array }[][] = [
      [
        { n: 0, data: new Uint8Array(10) },
        { n: 2, data: new Uint8Array(10) },
      ],
      [{ n: 0, data: new Uint8Array(MAX_CHUNK_BYTES + 1) }],
    ];
    for (const pieces of cases) {
      const { bad } = hub.figures().counts;
      const before = bad.chunk;
      handle = (asked, self) => {
        setTimeout(() => {
          for (const { n, data } of pieces) self.sendChunk(asked.stream, n, data, false);
          self.sendChunk(asked.stream, pieces.length, new Uint8Array(1), true);
        }, 20);
        return streamed;
      };
      const errors: string[] = [];
      await hub.messenger.api(mid, request(), ({ error }) => {
        if (error !== "") errors.push(error);
      });
      await vi.waitFor(() => expect(errors).toEqual([expect.stringContaining("lost")]), LONG);
      expect(bad.chunk).toBe(before + 1);
    }
  });

  test("64 requests are in flight to a member, the next is refused; they end", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    handle = async () => {
      await held;
      return { status: 200, headers: [], body: new Uint8Array(1), streamed: false };
    };
    const all = Array.from({ length: 64 }, () =>
      hub.messenger.api(mid, request(), () => undefined),
    );
    expect(await codeOf(hub.messenger.api(mid, request(), () => undefined))).toBe("LIMIT_REACHED");
    // Moves and takeovers do not wait for them.
    const asked = { url: "server://:1/:2", key: null };
    expect(await hub.messenger.prepare(mid, asked)).toMatchObject({ ok: true });
    expect(await hub.messenger.apply(mid, { orders: [] })).toEqual({ reports: [] });
    release();
    expect((await Promise.all(all)).every(({ status }) => status === 200)).toBe(true);
    expect((await hub.messenger.api(mid, request(), () => undefined)).status).toBe(200);
  });

  test("16 streams of a member are open, the next is refused and broken off there", async () => {
    handle = (asked, self) => {
      self.sendChunk(asked.stream, 0, new Uint8Array(1), false);
      return streamed;
    };
    const open = Array.from({ length: 16 }, () => request());
    for (const asked of open) await hub.messenger.api(mid, asked, () => undefined);
    expect(await codeOf(hub.messenger.api(mid, request(), () => undefined))).toBe("LIMIT_REACHED");
    const [first] = open;
    hub.messenger.closeStream(mid, first?.stream ?? "");
    expect((await hub.messenger.api(mid, request(), () => undefined)).streamed).toBe(true);
    for (const { stream } of open) hub.messenger.closeStream(mid, stream);
  });

  test("who waits no longer is let go at once, and a late stream is broken off", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    handle = async () => {
      await held;
      return { status: 200, headers: [], body: new Uint8Array(big), streamed: false };
    };
    const gone = new AbortController();
    const chunks: Chunk[] = [];
    const asked = hub.messenger.api(mid, request(), (chunk) => chunks.push(chunk), gone.signal);
    await new Promise((resolve) => setTimeout(resolve, 50));
    gone.abort();
    expect(await codeOf(asked)).toBe("UNAVAILABLE");
    const before = member.cancelled;
    release();
    await vi.waitFor(() => expect(member.cancelled).toBeGreaterThan(before), LONG);
    expect(chunks).toEqual([]);
  });

  test("a member that is not there, is none, or answers nonsense is told apart", async () => {
    expect(await codeOf(hub.messenger.prepare("00000000000000ff", { url: "x", key: null }))).toBe(
      "NOT_FOUND",
    );
    const never = await fleet.join(hub);
    await vi.waitFor(() => expect(hub.fleet.master(fleet.admin(hub), never.mid)).toBeDefined());
    const unheard = hub.messenger.prepare(never.mid, { url: "x", key: null });
    expect(await codeOf(unheard)).toBe("UNAVAILABLE");
    const gone = await fleet.member(hub);
    await gone.close();
    // Nobody listens there: the engine says so at once, when it has noticed that the connection has ended.
    await vi.waitFor(async () => {
      const began = performance.now();
      const asked = hub.messenger.prepare(gone.identity.mid, { url: "x", key: null });
      await expect(asked).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringMatching(
          / is (?:lost|late|not connected to the engine) since 20\S+Z, its last word$/,
        ),
      });
      expect(performance.now() - began).toBeLessThan(5000);
    }, LONG);
    handle = () => ({ status: 42, headers: [], body: new Uint8Array(0), streamed: false });
    const { bad } = hub.figures().counts;
    const before = bad.answer;
    expect(await codeOf(hub.messenger.api(mid, request(), () => undefined))).toBe("UNAVAILABLE");
    expect(bad.answer).toBe(before + 1);
  });

  test("a reader that fails ends its own stream and nothing else", async () => {
    handle = (asked, self) => {
      setTimeout(() => self.sendChunk(asked.stream, 0, new Uint8Array(1), false), 10);
      return streamed;
    };
    let calls = 0;
    await hub.messenger.api(mid, request(), () => {
      calls += 1;
      throw new Error("a reader's own fault");
    });
    await vi.waitFor(() => expect(calls).toBe(1), LONG);
    expect(await hub.messenger.prepare(mid, { url: "server://:1/:2", key: null })).toMatchObject({
      ok: true,
    });
  });

  test("streams end with an error when the engine goes", async () => {
    handle = (asked, self) => {
      setTimeout(() => self.sendChunk(asked.stream, 0, new Uint8Array(1), false), 10);
      return streamed;
    };
    const chunks: Chunk[] = [];
    await hub.messenger.api(mid, request(), (chunk) => chunks.push(chunk));
    await vi.waitFor(() => expect(chunks).toHaveLength(1), LONG);
    const [server] = fleet.servers;
    await server?.kill();
    await vi.waitFor(() => expect(chunks).toHaveLength(2), LONG);
    expect(chunks[1]).toMatchObject({ end: true, error: "the engine is gone" });
    const synced = member.nextSync();
    await server?.restart();
    await synced;
  }, 120_000);
});
