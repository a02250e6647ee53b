import { beforeEach, describe, expect, test, vi } from "vitest";
import { type LanePair, lanePair } from "../../test/support/lane-pair.ts";
import { eventually, exitSide, frame, open, turns } from "../../test/support/lane-wire.ts";
import { type MemoryStream, memoryPair } from "../../test/support/memory-stream.ts";
import { RecordingReader } from "../../test/support/recording-reader.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import { LANE_ALIVE, LANE_PING, LANE_WINDOW_BYTES } from "../wire/lane-frame.ts";
import { STREAM_HEADER_BYTES } from "../wire/stream-frame.ts";
import { LaneFrameDecoder } from "./lane-frame-decoder.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

test("a reader that takes nothing stops its own stream and no other", async () => {
  const pair = lanePair(1);
  pair.add(memoryPair());
  const slow = await pair.open();
  const quick = await pair.open();
  const slowReader = new RecordingReader(slow.far);
  slow.far.pause();
  const quickReader = new RecordingReader(quick.far);
  const writer = new RecordingReader(slow.near);
  const block = Buffer.alloc(1024 * 1024, 1);
  expect(slow.near.write(block)).toBe(false);
  await turns();
  expect(slow.near.pendingBytes).toBe(block.length - LANE_WINDOW_BYTES);
  quick.near.writeCopy(Buffer.from("quick"), 5);
  await eventually(() => expect(quickReader.text()).toBe("quick"));
  slow.far.resume();
  await writer.drained();
  await eventually(() => expect(slowReader.bytes).toBe(block.length));
  pair.close();
});

test("a chatty user and a quiet one on a lane that is full take turns", async () => {
  const pair = lanePair(1);
  // So little fits that nearly all has to wait for the lane.
  pair.add(memoryPair({ capacity: 20_000, writesAtOnce: false }));
  const chatty: Awaited<ReturnType<LanePair["open"]>>[] = [];
  while (chatty.length < 12) chatty.push(await pair.open());
  const quiet = await pair.open();
  const readers = chatty.map(({ far }) => new RecordingReader(far));
  const quietReader = new RecordingReader(quiet.far);
  for (const { near } of chatty) near.writeCopy(Buffer.alloc(200_000, 1), 200_000);
  quiet.near.writeCopy(Buffer.from("quiet"), 5);
  await eventually(() => expect(quietReader.text()).toBe("quiet"));
  const before = readers.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(before).toBeLessThan(12 * 200_000);
  await eventually(() => {
    for (const reader of readers) expect(reader.bytes).toBe(200_000);
  });
  pair.close();
});

describe("at the entry", () => {
  /** Pool connections of an entry: the wires are the test's, which is the exit. */
  const setUp = (lanes: number, connections: number) => {
    const pair = lanePair(lanes);
    const wires = Array.from({ length: connections }, (_, at) => {
      const [stream, wire] = memoryPair();
      const heard = new RecordingReader(wire);
      pair.entry.add(stream, (at + 1).toString(16).padStart(8, "0"));
      return { stream, wire, heard };
    });
    return { pair, wires };
  };
  const sentOn = ({ stream }: { stream: MemoryStream }): string =>
    Buffer.concat(stream.written).toString("hex", 0, 4);
  const LANE = "05000000";

  test("a lane that breaks resets its users, and is replaced at once", async () => {
    const { pair, wires } = setUp(2, 5);
    await turns();
    // Two lanes, the exit's, and two that nobody uses.
    expect(wires.map(sentOn)).toEqual([LANE, LANE, "07000000", "", ""]);
    const users = [1, 2].map(
      () => new RecordingReader(pair.entry.open("tcp", "127.0.0.1:1")?.stream as ByteStream),
    );
    wires[0]?.wire.reset();
    await users[0]?.closed();
    expect(users[1]?.events).toEqual([]);
    expect(wires.map(sentOn)).toEqual([LANE, LANE, "07000000", LANE, ""]);
    expect(pair.entry.size).toBe(1);
    pair.close();
  });

  test("a lane that answers nothing is reset, while the peer is heard", async () => {
    const { pair, wires } = setUp(1, 3);
    const user = new RecordingReader(pair.entry.open("tcp", "127.0.0.1:1")?.stream as ByteStream);
    for (let count = 0; count < 10; count++) pair.entry.tick(1024, false);
    await turns();
    expect(user.events).toEqual([]);
    pair.entry.tick(1024, true);
    pair.entry.tick(1024, true);
    // The exit has answered.
    wires[0]?.wire.write(frame(LANE_ALIVE, 0));
    await turns();
    for (let count = 0; count < 3; count++) pair.entry.tick(1024, true);
    await turns();
    expect(user.events).toEqual([]);
    pair.entry.tick(1024, true);
    await user.closed();
    expect(sentOn(wires[2] as { stream: MemoryStream })).toBe(LANE);
    pair.close();
  });

  test("a lane that has not answered yet gets no new users while another one serves", async () => {
    const { pair, wires } = setUp(2, 3);
    pair.entry.tick(1024, true);
    await turns();
    wires[1]?.wire.write(frame(LANE_ALIVE, 0));
    await turns();
    pair.entry.tick(1024, true);
    const open = (count: number): void => {
      for (let left = count; left > 0; left--) pair.entry.open("tcp", "127.0.0.1:1");
    };
    open(6);
    await turns();
    const sizes = () => wires.slice(0, 2).map(({ stream }) => Buffer.concat(stream.written).length);
    const [first = 0, second = 0] = sizes();
    expect(second).toBeGreaterThan(first + 100);
    wires[0]?.wire.write(frame(LANE_ALIVE, 0));
    await turns();
    open(3);
    await turns();
    expect(sizes()[0]).toBeGreaterThan(first + 50);
    expect(sizes()[1]).toBe(second);
    pair.close();
  });

  test("streams of a session that is over go on, and its lanes are closed after them", async () => {
    const pair = lanePair(1);
    const pool = memoryPair();
    pair.add(pool);
    const { near, far } = await pair.open();
    const [user, target] = [new RecordingReader(near), new RecordingReader(far)];
    pair.exit.close();
    pair.entry.close();
    const block = Buffer.alloc(500_000, 3);
    if (!near.write(block)) await user.drained();
    near.end();
    await target.ended();
    expect(target.bytes).toBe(block.length);
    expect(pool[0].destroyed).toBe(false);
    far.writeCopy(Buffer.from("answer"), 6);
    far.end();
    await user.ended();
    expect(user.text()).toBe("answer");
    await Promise.all([user.closed(), target.closed()]);
    await eventually(() => expect(pool[0].destroyed && pool[1].destroyed).toBe(true));
  });
});

test("an exit begins to serve 64 users in a turn of the loop, and the others in those after it", async () => {
  const { pair, lane } = exitSide();
  const { wire } = lane();
  await turns();
  const most = 200;
  const seen = new Set<number>();
  wire.write(Buffer.concat(Array.from({ length: most }, (_, at) => open(at + 1))));
  for (let left = 200; left > 0 && pair.openings.length < most; left--) {
    seen.add(pair.openings.length);
    await turns(1);
  }
  expect(pair.openings).toHaveLength(most);
  expect([...seen]).toEqual(expect.arrayContaining([0, 64, 128, 192]));
  pair.close();
});

test("an exit answers a ping", async () => {
  const { pair, lane } = exitSide();
  const { wire, heard } = lane();
  wire.write(frame(LANE_PING, 0));
  await heard.saw(`control${LANE_ALIVE} 0 0`);
  pair.close();
});

describe("datagrams", () => {
  /** A datagram frame of `length` bytes. */
  const framed = (length: number): Buffer => {
    const bytes = Buffer.alloc(2 + length, length & 0xff);
    bytes.writeUInt16BE(length);
    return bytes;
  };

  test("of one write are cut where a datagram ends, and come whole", async () => {
    const pair = lanePair(1);
    const pool = memoryPair();
    pair.add(pool);
    const { near, far } = await pair.open("udp");
    const reader = new RecordingReader(far);
    const all = Buffer.concat([
      framed(65_507),
      framed(0),
      framed(40_000),
      framed(30_000),
      framed(1),
    ]);
    const user = new RecordingReader(near);
    if (!near.write(all)) await user.drained();
    await eventually(() => expect(reader.bytes).toBe(all.length));
    const sizes: number[] = [];
    new LaneFrameDecoder().decode(
      Buffer.concat(pool[0].written),
      STREAM_HEADER_BYTES,
      pool[0].written.reduce((sum, bytes) => sum + bytes.length, 0),
      { onDataFrame: (_, size) => sizes.push(size), onData() {}, onOpen() {}, onControl() {} },
    );
    expect(sizes).toEqual([65_511, 40_002, 30_005]);
    pair.close();
  });

  test("that find no room are dropped and counted, at both ends", async () => {
    const pair = lanePair(1);
    const pool = memoryPair();
    pair.add(pool);
    const { near, far } = await pair.open("udp");
    const reader = new RecordingReader(far);
    far.pause();
    // A target that is still being opened: some are kept.
    for (let count = 0; count < 100; count++) near.write(framed(9998));
    await eventually(() => expect(pair.dropped).toBe(100 - 27));
    far.resume();
    await eventually(() => expect(reader.bytes).toBe(270_000));
    // A lane that takes nothing more: as many are kept as the tunnel may have waiting.
    pool[1].pause();
    const dropped = pair.dropped;
    for (let count = 0; count < 500; count++) near.write(framed(60_000));
    expect(pair.dropped - dropped).toBeGreaterThan(200);
    expect(near.pendingBytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    const kept = Math.floor(near.pendingBytes / 60_002);
    near.reset();
    expect(near.pendingBytes).toBe(0);
    expect(pair.dropped - dropped).toBeGreaterThanOrEqual(kept);
    pair.close();
  });

  test("an end of the session is an end at the other side", async () => {
    const pair = lanePair(1);
    pair.add(memoryPair());
    const { near, far } = await pair.open("udp");
    const [user, target] = [new RecordingReader(near), new RecordingReader(far)];
    near.write(framed(5));
    near.end(() => near.destroy());
    await target.ended();
    expect(target.bytes).toBe(7);
    far.end(() => far.destroy());
    await Promise.all([user.closed(), target.closed()]);
    expect(pair.violations).toEqual([]);
    await eventually(() => expect([pair.entry.unused, pair.exit.unused]).toEqual([1, 1]));
    pair.close();
  });
});
