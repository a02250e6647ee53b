import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { contextFor } from "../../test/support/memory-context.ts";
import { type MemoryStreamOptions, memoryPair } from "../../test/support/memory-stream.ts";
import { OWNED } from "../stream/byte-stream.ts";
import { DatagramDecoder } from "../wire/datagram-frame.ts";
import { DatagramSender, FrameScratch } from "./datagram-sender.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

const cuts: (() => void)[] = [];
afterEach(() => {
  for (const cut of cuts.splice(0)) cut();
});

function setUp(streamOptions: MemoryStreamOptions, maxQueuedBytes = 1_000_000) {
  const { flushes, waitingDatagrams } = contextFor("client://127.0.0.1:1/127.0.0.1:2?mode=2");
  const onDropped = vi.fn();
  const [stream, far] = memoryPair(streamOptions);
  cuts.push(() => {
    stream.destroy();
    far.destroy();
  });
  far.resume();
  const scratch = new FrameScratch();
  const sender = new DatagramSender({
    framed: true,
    scratch,
    flushes,
    waiting: waitingDatagrams,
    maxQueuedBytes,
    onDropped,
  });
  stream.setReader({
    onBytes: () => true,
    onEnd: () => {},
    onDrain: () => sender.drained(),
    onError: () => {},
    onClose: () => {},
  });
  return { sender, stream, far, onDropped };
}

const text = (datagrams: readonly Buffer[]): string[] => datagrams.map(String);

test("in frames: those of one turn in one write, each whole again at the other end", async () => {
  const { sender, stream } = setUp({});
  sender.attach(stream, true);
  for (const one of ["a", "", "ccc"]) sender.send(Buffer.from(one));
  await vi.waitFor(() => expect(stream.written.length).toBe(1));
  const whole: string[] = [];
  new DatagramDecoder().push(stream.written[0] ?? Buffer.alloc(0), (one) =>
    whole.push(String(one)),
  );
  expect(whole).toEqual(["a", "", "ccc"]);
});

// A NodePass 1.14 node takes a TLS record for a datagram, and waiting writes are joined into one.
test("in frames, to a peer that is slow: what waits holds little more memory than its bytes", () => {
  const { sender, stream, onDropped } = setUp({ capacity: 1 });
  sender.attach(stream, true);
  const write = vi.spyOn(stream, "write");
  for (let turn = 0; turn < 1000; turn++) {
    sender.send(Buffer.alloc(100));
    sender.flush();
  }
  expect(onDropped).not.toHaveBeenCalled();
  expect(stream.pendingBytes).toBeGreaterThan(100_000);
  const memory = new Set(write.mock.calls.map(([bytes]) => bytes.buffer));
  const held = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
  // The buffer of the first turns, and twice the bytes that wait.
  expect(held).toBeLessThan(256 * 1024 * 2 + 2 * stream.pendingBytes);
});

test("to 1.14, over a stream whose writes wait: one write at a time, none beside another", async () => {
  const { sender, stream } = setUp({ writesAtOnce: false, lease: OWNED });
  sender.attach(stream, false);
  let most = 0;
  vi.spyOn(stream, "write").mockImplementation((bytes) => {
    most = Math.max(most, stream.pendingBytes);
    return Reflect.apply(Object.getPrototypeOf(stream).write, stream, [bytes]);
  });
  const sent = Array.from({ length: 160 }, (_, at) => Buffer.from(`datagram ${at}`));
  for (const one of sent) sender.send(one);
  await vi.waitFor(() => expect(stream.written.length).toBe(160));
  expect(most).toBe(0);
  expect(text(stream.written)).toEqual(text(sent));
});

test("to 1.14, over plain TCP: each at once", () => {
  const { sender, stream } = setUp({});
  sender.attach(stream, false);
  for (const one of ["a", "b", "c"]) sender.send(Buffer.from(one));
  expect(text(stream.written)).toEqual(["a", "b", "c"]);
});

test("drops and counts what is over its bound, waiting writes included", () => {
  const { sender, stream, onDropped } = setUp({ writesAtOnce: false }, 50);
  sender.attach(stream, false);
  for (let count = 0; count < 10; count++) sender.send(Buffer.alloc(10));
  expect(onDropped).toHaveBeenCalled();
  expect(stream.pendingBytes).toBeLessThanOrEqual(50);
});

test("what waits when it is dropped is counted", () => {
  const { sender, onDropped } = setUp({});
  sender.send(Buffer.from("one"));
  sender.send(Buffer.from("two"));
  sender.drop();
  expect(onDropped).toHaveBeenCalledExactlyOnceWith(2);
});
