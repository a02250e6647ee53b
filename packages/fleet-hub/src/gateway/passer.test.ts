import { type ApiAnswer, type Chunk, MAX_CHUNK_BYTES } from "@nodepass/fleet-protocol";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MemberFacts } from "../members/presence.ts";
import { STREAM_WINDOW_BYTES } from "./answer-stream.ts";
import { createPasser, SESSION_CHECK_MS } from "./passer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MID = "00000000000000a1";
const request = {
  ...{ mid: MID, method: "GET", target: "/api/events", headers: [], body: new Uint8Array(0) },
  ...({ access: "admin", remote: "192.0.2.1", boxed: false } as const),
};

function open(answer: ApiAnswer | Error, bytesPerSecond?: number) {
  const said: string[] = [];
  const credits: number[] = [];
  let session = "1";
  let push: (chunk: Chunk) => void = () => undefined;
  const facts = () => ({ status: "online", session }) as MemberFacts;
  const passer = createPasser({
    messenger: {
      api: async (_mid, _message, onChunk) => {
        push = onChunk;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      credit: (_mid, { bytes, cancel }) => {
        said.push(cancel ? "cancel" : "credit");
        if (bytes > 0) credits.push(bytes);
      },
      closeStream: () => said.push("close"),
    },
    presence: { facts, onStatus: () => () => undefined, onSync: () => () => undefined },
    bytesPerSecond,
  });
  return {
    passer,
    said,
    credits,
    push: (n: number) => push({ n, data: new Uint8Array(MAX_CHUNK_BYTES), end: false, error: "" }),
    restart: () => {
      session = "2";
    },
  };
}

const streamed: ApiAnswer = {
  status: 200,
  headers: [["content-type", "text/event-stream"]],
  body: new Uint8Array(0),
  streamed: true,
};

it("ends a stream whose member was started anew, though another hub was told", async () => {
  const { passer, said, restart } = open(streamed);
  const response = await passer.pass(request);
  expect(passer.isStreamed(response)).toBe(true);
  const read = response.body?.getReader().read();
  vi.advanceTimersByTime(SESSION_CHECK_MS);
  expect(passer.streams).toBe(1);
  restart();
  vi.advanceTimersByTime(SESSION_CHECK_MS);
  await expect(read).rejects.toThrow("the master is gone");
  expect(passer.streams).toBe(0);
  expect(said).toEqual(["cancel", "close"]);
  passer.close();
  expect(vi.getTimerCount()).toBe(0);
});

it("forgets a request that failed, here and at the member", async () => {
  const { passer, said } = open(new Error("no answer"));
  await expect(passer.pass(request)).rejects.toThrow("no answer");
  expect(said).toEqual(["cancel", "close"]);
});

it("takes no body of an answer that has none", async () => {
  const { passer, said } = open({ ...streamed, status: 204 });
  const response = await passer.pass(request);
  expect(response.body).toBeNull();
  expect(passer.streams).toBe(0);
  expect(said).toEqual(["cancel", "close"]);
});

it("asks a member that is fast for no more than its pace, and all the same for all that was read", async () => {
  const perSecond = 10 * MAX_CHUNK_BYTES;
  const { passer, credits, push } = open(streamed, perSecond);
  const reader = (await passer.pass(request)).body?.getReader();
  const begin = performance.now();
  const asked = () => credits.reduce((all, bytes) => all + bytes, 0);
  // It sends as soon as it may, and the client reads at once.
  for (let n = 0; n < 50; n += 1) {
    const mayNot = () => STREAM_WINDOW_BYTES + asked() < (n + 1) * MAX_CHUNK_BYTES;
    for (let waits = 0; waits < 100 && mayNot(); waits += 1) vi.advanceTimersByTime(10);
    expect(mayNot()).toBe(false);
    push(n);
    await reader?.read();
  }
  const share = (50 * MAX_CHUNK_BYTES * 1000) / (performance.now() - begin) / perSecond;
  expect(share).toBeLessThan(1.2);
  expect(share).toBeGreaterThan(0.8);
  vi.advanceTimersByTime(1000);
  expect(asked()).toBe(50 * MAX_CHUNK_BYTES);
  push(50);
  await reader?.read();
  await reader?.cancel();
  passer.close();
  expect(vi.getTimerCount()).toBe(0);
});

it.each([0, 1.5, 65_537, Number.NaN])("refuses %d streams", (maxStreams) => {
  const presence = {
    facts: () => ({}) as MemberFacts,
    onStatus: () => () => undefined,
    onSync: () => () => undefined,
  };
  const messenger = {
    api: () => Promise.reject(new Error("none")),
    credit: () => undefined,
    closeStream: () => undefined,
  };
  expect(() => createPasser({ messenger, presence, maxStreams })).toThrow("1 to 65536");
});
