import type { Chunk } from "@nodepass/fleet-protocol";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AnswerStream } from "./answer-stream.ts";

let sent: Chunk[];
let ends: number;
let cancelled: number;
let source: ReadableStreamDefaultController<Uint8Array> | undefined;
let isUp: boolean;

function open(options: { credit: number; begun?: Uint8Array[] }): AnswerStream {
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        source = controller;
      },
      cancel: () => {
        cancelled++;
      },
    },
    { highWaterMark: 0 },
  );
  const stream = new AnswerStream({
    body: body.getReader(),
    begun: options.begun ?? [],
    credit: options.credit,
    send: (chunk) => {
      if (isUp) sent.push({ ...chunk, data: chunk.data.slice() });
      return isUp;
    },
    onEnd: () => {
      ends++;
    },
  });
  stream.start();
  return stream;
}
const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill);
const turn = () => vi.advanceTimersByTimeAsync(0);
const sizes = () => sent.map(({ data }) => data.byteLength);

beforeEach(() => {
  vi.useFakeTimers();
  [sent, ends, cancelled, isUp] = [[], 0, 0, true];
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it("sends no more than it has credit for, in pieces of 64 KiB at most", async () => {
  const stream = open({ credit: 100_000, begun: [bytes(70_000)] });
  await turn();
  source?.enqueue(bytes(60_000, 2));
  await turn();
  expect(sizes()).toEqual([65_536, 4464, 30_000]);
  stream.addCredit(0);
  await turn();
  expect(sizes().length).toBe(3);
  stream.addCredit(40_000);
  await turn();
  source?.close();
  await turn();
  expect(sizes()).toEqual([65_536, 4464, 30_000, 30_000, 0]);
  expect(sent.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4]);
  expect(sent.at(-1)).toMatchObject({ end: true, error: "" });
  expect(ends).toBe(1);
});

it("does not read what it may not send", async () => {
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        pulls++;
        controller.enqueue(bytes(10));
      },
    },
    { highWaterMark: 0 },
  );
  const stream = new AnswerStream({
    body: body.getReader(),
    begun: [],
    credit: 25,
    send: () => true,
    onEnd: () => undefined,
  });
  stream.start();
  await turn();
  expect(pulls).toBe(3);
  stream.cancel();
});

it("says why the body breaks off", async () => {
  open({ credit: 10 });
  await turn();
  source?.error(new Error("reader too slow"));
  await turn();
  expect(sent).toMatchObject([{ end: true, error: "reader too slow" }]);
  expect(ends).toBe(1);
});

it("is cancelled by the hub, once, and says nothing more", async () => {
  const stream = open({ credit: 10 });
  stream.cancel();
  stream.cancel();
  stream.addCredit(5);
  await turn();
  expect([sent, ends, cancelled]).toEqual([[], 1, 1]);
});

it("is cancelled when the hub says nothing for a minute, not while it does", async () => {
  const stream = open({ credit: 10 });
  for (let n = 0; n < 5; n++) {
    await vi.advanceTimersByTimeAsync(50_000);
    stream.addCredit(0);
  }
  expect(ends).toBe(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([ends, cancelled]).toEqual([1, 1]);
});

it("ends where nothing goes out any more", async () => {
  open({ credit: 10, begun: [bytes(5)] });
  isUp = false;
  await turn();
  expect([ends, cancelled]).toEqual([1, 1]);
});
