import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type MemoryStream, memoryPair } from "../../../test/support/memory-stream.ts";
import { RecordingReader } from "../../../test/support/recording-reader.ts";
import { Lingerer } from "../../stream/lingerer.ts";
import type { WebSocketStream } from "./websocket-stream.ts";
import { WebSocketStreams } from "./websocket-streams.ts";

let lingerer = new Lingerer();
let raw: MemoryStream;
let wire: RecordingReader;
let stream: WebSocketStream;
let reader: RecordingReader;

beforeEach(() => {
  vi.useRealTimers();
  const [inner, other] = memoryPair();
  raw = other;
  stream = new WebSocketStreams(lingerer).add(inner, false, undefined);
  reader = new RecordingReader(stream);
  wire = new RecordingReader(raw);
  raw.resume();
  stream.resume();
});
afterEach(() => {
  vi.useRealTimers();
  raw.destroy();
});

/** A client's frame with a mask of zeros. */
function frame(first: number, payload: string): Buffer {
  const bytes = Buffer.from(payload, "latin1");
  return Buffer.concat([Buffer.of(first, 0x80 | bytes.length, 0, 0, 0, 0), bytes]);
}

function say(bytes: Buffer): void {
  raw.writeCopy(bytes, bytes.length);
}

describe("a WebSocket stream", () => {
  test("answers a ping with its payload", async () => {
    say(frame(0x89, "abc"));
    await vi.waitFor(() => expect(wire.text()).toBe("\x8a\x03abc"));
  });

  test("ends by a close frame, and closes when the other side's has come", async () => {
    const done = vi.fn();
    stream.end(done);
    await vi.waitFor(() => expect(wire.text()).toBe("\x88\x02\x03\xe8"));
    await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
    say(frame(0x82, "late"));
    await vi.waitFor(() => expect(reader.text()).toBe("late"));
    expect(reader.events).toEqual([]);
    say(frame(0x88, "\x03\xe9"));
    await vi.waitFor(() => expect(reader.events).toEqual(["end", "close"]));
    await vi.waitFor(() => expect(wire.events).toContain("end"));
  });

  test.each([
    ["any other code", frame(0x88, "\x03\xf3")],
    ["no code", frame(0x88, "")],
  ])("takes a close with %s for a reset", async (_, close) => {
    say(close);
    await vi.waitFor(() => expect(reader.events).toEqual(["error", "close"]));
  });

  test("takes an end without a close frame for a reset", async () => {
    raw.end();
    await vi.waitFor(() => expect(reader.events).toEqual(["error", "close"]));
    expect(stream.destroyed).toBe(true);
  });

  test("tells the peer what it broke, and reads no more", async () => {
    say(Buffer.concat([frame(0x82, "ok"), frame(0x81, "text"), frame(0x82, "more")]));
    await vi.waitFor(() => expect(reader.events).toEqual(["error", "close"]));
    expect(reader.text()).toBe("ok");
    await vi.waitFor(() => expect(wire.text()).toBe("\x88\x02\x03\xeb"));
  });

  test("writes a frame into the head room before the bytes, and copies without it", async () => {
    const memory = Buffer.from("................hello");
    const bytes = memory.subarray(16);
    stream.write(bytes, 16);
    await vi.waitFor(() => expect(wire.text()).toBe("\x82\x05hello"));
    expect(memory.toString("latin1", 14, 16)).toBe("\x82\x05");
    const copied = Buffer.from("again");
    stream.write(copied);
    await vi.waitFor(() => expect(wire.text()).toContain("\x82\x05again"));
    expect(String(copied)).toBe("again");
  });
});

test("a stream that is silent for 25 s is pinged, one that sends is not, nor one that has closed", () => {
  vi.useFakeTimers();
  const streams = new WebSocketStreams(lingerer);
  const [inner, other] = memoryPair();
  const one = streams.add(inner, true, undefined);
  const pings = (): number =>
    other.written.length + inner.written.filter((b) => b[0] === 0x89).length;
  vi.advanceTimersByTime(12_500);
  expect(pings()).toBe(0);
  vi.advanceTimersByTime(12_500);
  expect(pings()).toBe(1);
  for (let count = 0; count < 10; count++) {
    vi.advanceTimersByTime(10_000);
    one.writeCopy(Buffer.from("x"), 1);
  }
  expect(pings()).toBe(1);
  streams.onClosed(one);
  vi.advanceTimersByTime(100_000);
  expect(pings()).toBe(1);
});

describe("a closing handshake that the other side does not end", () => {
  /** It reads nothing, and 64 KiB wait before our last word. */
  function unread(): { stream: WebSocketStream; inner: MemoryStream; other: MemoryStream } {
    lingerer = new Lingerer();
    const [inner, other] = memoryPair({ capacity: 1024 });
    other.pause();
    const stream = new WebSocketStreams(lingerer).add(inner, false, undefined);
    stream.resume();
    stream.writeCopy(Buffer.alloc(64 * 1024), 64 * 1024);
    return { stream, inner, other };
  }

  test("is over after five seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { inner, other } = unread();
    const bad = frame(0x81, "text");
    other.writeCopy(bad, bad.length);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    vi.advanceTimersByTime(4999);
    expect(inner.destroyed).toBe(false);
    vi.advanceTimersByTime(2);
    expect(inner.destroyed).toBe(true);
  });

  test("is over when its tunnel ends", async () => {
    const { inner, other } = unread();
    const bad = frame(0x81, "text");
    other.writeCopy(bad, bad.length);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(inner.destroyed).toBe(false);
    lingerer.close();
    expect(inner.destroyed).toBe(true);
  });
});
