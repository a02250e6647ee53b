// Peers that break the rules of lanes: each ends what it must, and nothing else.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type LanePair, lanePair } from "../../test/support/lane-pair.ts";
import { type MemoryStream, memoryPair } from "../../test/support/memory-stream.ts";
import { RecordingReader } from "../../test/support/recording-reader.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import {
  LANE_ALIVE,
  LANE_CREDIT,
  LANE_DATA,
  LANE_FIN,
  LANE_HEADER_BYTES,
  LANE_MOVE,
  LANE_OPEN_TCP,
  LANE_OPEN_UDP,
  LANE_PING,
  LANE_RESET,
  LANE_WINDOW_BYTES,
  MAX_LANE_WINDOW_BYTES,
  writeLaneHeader,
  writeLaneValue,
} from "../wire/lane-frame.ts";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_GRANT,
  FRAME_LANE,
  FRAME_OPEN_TCP,
  goOnFrame,
  openFrame,
  STREAM_HEADER_BYTES,
  streamHeader,
} from "../wire/stream-frame.ts";
import { LaneFrameDecoder } from "./lane-frame-decoder.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

function frame(type: number, stream: number, body: Buffer | string | number = ""): Buffer {
  const value = typeof body === "number" ? Buffer.alloc(4) : Buffer.from(body);
  if (typeof body === "number") writeLaneValue(value, 0, body);
  const header = Buffer.alloc(LANE_HEADER_BYTES);
  writeLaneHeader(header, 0, type, value.length, stream);
  return Buffer.concat([header, value]);
}

const open = (stream: number): Buffer => frame(LANE_OPEN_TCP, stream, "127.0.0.1:1");
const data = (stream: number, body: Buffer | string): Buffer => frame(LANE_DATA, stream, body);

/** Reads a lane's wire: the frames as `type stream [body]`. */
class WireReader extends RecordingReader {
  readonly frames: string[] = [];
  readonly #decoder = new LaneFrameDecoder();
  #skip = 0;

  /** @param skip bytes before the first frame of the lane */
  constructor(stream: ByteStream, skip = 0) {
    super(stream);
    this.#skip = skip;
    this.onRead = (bytes) => {
      const from = Math.min(bytes.length, this.#skip);
      this.#skip -= from;
      this.#decoder.decode(bytes, from, bytes.length, {
        onDataFrame: (of) => this.frames.push(`data ${of} `),
        onData: (buffer, start, end) => {
          this.frames.push(`${this.frames.pop()}${buffer.toString("latin1", start, end)}`);
        },
        onOpen: (type, of, remote) => this.frames.push(`open${type} ${of} ${remote}`),
        onControl: (type, of, value) => this.frames.push(`control${type} ${of} ${value}`),
      });
      return true;
    };
  }

  async saw(...frames: string[]): Promise<void> {
    await eventually(() => expect(this.frames).toEqual(expect.arrayContaining(frames)));
  }
}

/** An exit, and the wires of its pool connections: the test is the entry. */
function exitSide() {
  const pair = lanePair(4);
  let ids = 0;
  const connect = (): { wire: MemoryStream; id: number } => {
    const [stream, wire] = memoryPair();
    pair.exit.add(stream, (++ids).toString(16).padStart(8, "0"));
    return { wire, id: ids };
  };
  const lane = () => {
    const { wire, id } = connect();
    wire.write(streamHeader(FRAME_LANE, 0));
    return { wire, id, heard: new WireReader(wire) };
  };
  /** The exit's users, as they have come. */
  const users: RecordingReader[] = [];
  const opened = async (count: number): Promise<void> => {
    await eventually(() => {
      for (const opening of pair.openings.splice(0)) {
        opening.claim({
          onConduit: (conduit) => {
            if (conduit === undefined) return;
            const user = new RecordingReader(conduit.stream);
            users.push(user);
            const early = conduit.reader?.takeEarly();
            if (early?.bytes !== undefined) user.onBytes(early.bytes, early.bytes.length, 2);
            if (early?.ended === true) user.onEnd();
          },
        });
      }
      expect(users.length).toBe(count);
    });
  };
  return { pair, connect, lane, users, opened };
}

/** Waits without caring how slow the machine is. */
const eventually = (probe: () => void): Promise<void> =>
  vi.waitFor(probe, { timeout: 20_000, interval: 2 });

const turns = async (count = 20): Promise<void> => {
  for (let left = count; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
};

describe("a lane that breaks the rules is reset with its users, and nothing else", () => {
  test.each([
    ["data for a number that nobody opened", data(9, "x")],
    ["a fin for a number that nobody opened", frame(LANE_FIN, 9)],
    ["a reset for a number that nobody opened", frame(LANE_RESET, 0xffff_ffff)],
    ["a credit for a number that nobody opened", frame(LANE_CREDIT, 9, 1)],
    ["a move of a number that nobody opened", frame(LANE_MOVE, 9, 1)],
    ["a number that is used again", open(2)],
    ["a number below one that was opened", open(1)],
    ["an address that is none", frame(LANE_OPEN_TCP, 3, "not an address")],
    ["stream 0", frame(LANE_OPEN_TCP, 0, "127.0.0.1:1")],
    ["a type that is none", frame(77, 2)],
  ])("%s", async (_what, bytes) => {
    const { pair, lane, users, opened } = exitSide();
    const bad = lane();
    const good = lane();
    bad.wire.write(Buffer.concat([open(1), open(2), data(2, "hello")]));
    good.wire.write(open(1));
    await opened(3);
    bad.wire.write(bytes);
    await bad.heard.closed();
    expect(bad.wire.destroyed).toBe(true);
    await eventually(() => expect(users[1]?.events).toEqual(["close"]));
    expect(users[0]?.events).toEqual(["close"]);
    expect(pair.violations).toHaveLength(1);
    // The other lane serves on.
    good.wire.write(data(1, "still here"));
    await eventually(() => expect(users[2]?.text()).toBe("still here"));
    users[2]?.stream.writeCopy(Buffer.from("yes"), 3);
    await good.heard.saw("data 1 yes");
    pair.close();
  });

  test("an open frame at the entry", async () => {
    const pair = lanePair(1);
    const [stream, wire] = memoryPair();
    pair.entry.add(stream, "00000001");
    const user = new RecordingReader(pair.entry.open("tcp", "127.0.0.1:1")?.stream as ByteStream);
    wire.write(open(2));
    await user.closed();
    expect(user.events).toEqual(["close"]);
    expect(pair.violations).toEqual(["an open frame at the entry on a lane"]);
    pair.close();
  });
});

describe("a stream that breaks the rules is reset, and its lane serves on", () => {
  test.each([
    ["data after its fin", [frame(LANE_FIN, 1), data(1, "x")]],
    ["a second fin", [frame(LANE_FIN, 1), frame(LANE_FIN, 1)]],
    ["a move after its fin", [frame(LANE_FIN, 1), frame(LANE_MOVE, 1, 7)]],
    ["data after it has moved", [frame(LANE_MOVE, 1, 7), data(1, "x")]],
    ["a fin after it has moved", [frame(LANE_MOVE, 1, 7), frame(LANE_FIN, 1)]],
    ["a second move", [frame(LANE_MOVE, 1, 7), frame(LANE_MOVE, 1, 8)]],
    ["more credit than there can be", [frame(LANE_CREDIT, 1, MAX_LANE_WINDOW_BYTES)]],
  ])("%s", async (_what, frames) => {
    const { pair, lane, users, opened } = exitSide();
    const { wire, heard } = lane();
    wire.write(Buffer.concat([open(1), open(2)]));
    await opened(2);
    wire.write(Buffer.concat([...frames, data(2, "hello")]));
    await heard.saw(`control${LANE_RESET} 1 0`);
    await users[0]?.closed();
    await eventually(() => expect(users[1]?.text()).toBe("hello"));
    expect(users[1]?.events).toEqual([]);
    expect(wire.destroyed).toBe(false);
    pair.close();
  });

  test("more bytes than its window", async () => {
    const { pair, lane, users, opened } = exitSide();
    const { wire, heard } = lane();
    wire.write(Buffer.concat([open(1), open(2)]));
    await opened(2);
    users[0]?.stream.pause();
    const full = Buffer.alloc(LANE_WINDOW_BYTES, 7);
    wire.write(data(1, full));
    await turns();
    expect(heard.frames).toEqual([]);
    wire.write(Buffer.concat([data(1, "x"), data(2, "hello")]));
    await heard.saw(`control${LANE_RESET} 1 0`);
    await users[0]?.closed();
    expect(users[0]?.bytes).toBe(0);
    await eventually(() => expect(users[1]?.text()).toBe("hello"));
    pair.close();
  });

  test("a credit or a move of a UDP session", async () => {
    const { pair, lane, users, opened } = exitSide();
    const { wire, heard } = lane();
    const openUdp = (stream: number): Buffer => frame(LANE_OPEN_UDP, stream, "127.0.0.1:1");
    wire.write(Buffer.concat([openUdp(1), openUdp(2), openUdp(3)]));
    await opened(3);
    wire.write(
      Buffer.concat([frame(LANE_MOVE, 1, 7), frame(LANE_CREDIT, 2, 7), data(3, "\0\u0001x")]),
    );
    await heard.saw(`control${LANE_RESET} 1 0`, `control${LANE_RESET} 2 0`);
    await eventually(() => expect(users[2]?.bytes).toBe(3));
    expect(users[2]?.events).toEqual([]);
    pair.close();
  });
});

test("frames for a stream that is over mean nothing", async () => {
  const { pair, lane, users, opened } = exitSide();
  const { wire, heard } = lane();
  wire.write(Buffer.concat([open(1), open(2)]));
  await opened(2);
  users[0]?.stream.reset();
  await heard.saw(`control${LANE_RESET} 1 0`);
  wire.write(
    Buffer.concat([
      data(1, Buffer.alloc(40_000)),
      frame(LANE_CREDIT, 1, 9),
      frame(LANE_MOVE, 1, 9),
      frame(LANE_FIN, 1),
      frame(LANE_RESET, 1),
      data(2, "hello"),
    ]),
  );
  await eventually(() => expect(users[1]?.text()).toBe("hello"));
  expect(users[0]?.bytes).toBe(0);
  expect(heard.frames).toEqual([`control${LANE_RESET} 1 0`]);
  expect(pair.violations).toEqual([]);
  pair.close();
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

describe("promotion", () => {
  const BRANCH = 2;
  /** A lane with two users, and a pool connection beside it. */
  const setUp = async () => {
    const side = exitSide();
    const lane = side.lane();
    lane.wire.write(Buffer.concat([open(1), open(2)]));
    await side.opened(2);
    const branch = side.connect();
    const heard = new RecordingReader(branch.wire);
    return { ...side, lane, branch: { ...branch, heard } };
  };
  const poolData = (text: string): Buffer =>
    Buffer.concat([streamHeader(FRAME_DATA, text.length), Buffer.from(text)]);

  test.each([
    ["the move first", true],
    ["the pool connection first", false],
  ])("goes on where the stream's bytes end, %s", async (_what, moveFirst) => {
    const { pair, lane, branch, users } = await setUp();
    const onLane = Buffer.concat([data(1, "one "), frame(LANE_MOVE, 1, BRANCH)]);
    const onBranch = Buffer.concat([
      goOnFrame(lane.id, 1),
      poolData("two"),
      streamHeader(FRAME_FIN, 0),
    ]);
    if (moveFirst) lane.wire.write(onLane);
    else branch.wire.write(onBranch);
    await turns();
    if (moveFirst) branch.wire.write(onBranch);
    else lane.wire.write(onLane);
    await users[0]?.ended();
    expect(users[0]?.text()).toBe("one two");
    // The other direction has followed.
    await lane.heard.saw(`control${LANE_MOVE} 1 ${BRANCH}`);
    users[0]?.stream.writeCopy(Buffer.from("answer"), 6);
    users[0]?.stream.end();
    await users[0]?.closed();
    await eventually(() => expect(branch.heard.text()).toContain("answer"));
    // The pool connection can be used again.
    expect(pair.exit.size).toBe(1);
    expect(pair.violations).toEqual([]);
    pair.close();
  });

  test("to a stream that has a branch ends that pool connection only", async () => {
    const { pair, lane, branch, users, connect } = await setUp();
    branch.wire.write(goOnFrame(lane.id, 1));
    await turns();
    const thief = connect();
    const heard = new RecordingReader(thief.wire);
    thief.wire.write(Buffer.concat([goOnFrame(lane.id, 1), poolData("stolen")]));
    await heard.closed();
    lane.wire.write(frame(LANE_MOVE, 1, BRANCH));
    branch.wire.write(poolData("mine"));
    await eventually(() => expect(users[0]?.text()).toBe("mine"));
    expect(users[1]?.events).toEqual([]);
    pair.close();
  });

  test("to somebody else's stream, whose lane names another, ends that pool connection only", async () => {
    const { pair, lane, branch, users, connect } = await setUp();
    const thief = connect();
    const heard = new RecordingReader(thief.wire);
    thief.wire.write(Buffer.concat([goOnFrame(lane.id, 1), poolData("stolen")]));
    await turns();
    lane.wire.write(frame(LANE_MOVE, 1, BRANCH));
    await heard.closed();
    branch.wire.write(Buffer.concat([goOnFrame(lane.id, 1), poolData("mine")]));
    await eventually(() => expect(users[0]?.text()).toBe("mine"));
    pair.close();
  });

  test.each([
    ["a stream that is over", (lane: number) => goOnFrame(lane, 1)],
    ["a UDP session", (lane: number) => goOnFrame(lane, 3)],
  ])("to %s ends that pool connection only", async (_what, goOn) => {
    const { pair, lane, branch, users, opened } = await setUp();
    lane.wire.write(Buffer.concat([frame(LANE_RESET, 1), frame(LANE_OPEN_UDP, 3, "127.0.0.1:1")]));
    await opened(3);
    await users[0]?.closed();
    branch.wire.write(goOn(lane.id));
    await branch.heard.closed();
    lane.wire.write(data(2, "hello"));
    await eventually(() => expect(users[1]?.text()).toBe("hello"));
    pair.close();
  });

  test.each([
    ["a lane that never comes", 77, 1],
    ["a stream that never comes", 1, 77],
  ])("of %s ends that pool connection in time", async (_what, laneId, stream) => {
    const { pair, branch, users } = await setUp();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    branch.wire.write(goOnFrame(laneId, stream));
    await turns();
    expect(branch.wire.destroyed).toBe(false);
    vi.advanceTimersByTime(5001);
    await turns();
    vi.useRealTimers();
    expect(branch.wire.destroyed).toBe(true);
    expect(users.map(({ events }) => events)).toEqual([[], []]);
    pair.close();
  });

  test("whose pool connection never comes ends that stream in time", async () => {
    const { pair, lane, users } = await setUp();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    lane.wire.write(frame(LANE_MOVE, 1, 77));
    await turns();
    vi.advanceTimersByTime(5001);
    await turns();
    vi.useRealTimers();
    await lane.heard.saw(`control${LANE_RESET} 1 0`);
    expect(users[0]?.events).toEqual(["close"]);
    expect(users[1]?.events).toEqual([]);
    pair.close();
  });

  test("a pool connection that breaks resets its stream only", async () => {
    const { pair, lane, branch, users } = await setUp();
    lane.wire.write(frame(LANE_MOVE, 1, BRANCH));
    branch.wire.write(Buffer.concat([goOnFrame(lane.id, 1), poolData("half an")]));
    await eventually(() => expect(users[0]?.text()).toBe("half an"));
    branch.wire.reset();
    await users[0]?.closed();
    expect(users[0]?.events).not.toContain("end");
    lane.wire.write(data(2, "hello"));
    await eventually(() => expect(users[1]?.text()).toBe("hello"));
    pair.close();
  });

  test("a lane that breaks resets what it still carries, and nothing that has left it", async () => {
    const { pair, lane, branch, users } = await setUp();
    lane.wire.write(frame(LANE_MOVE, 1, BRANCH));
    branch.wire.write(Buffer.concat([goOnFrame(lane.id, 1), poolData("one ")]));
    await eventually(() => expect(users[0]?.text()).toBe("one "));
    lane.wire.reset();
    await users[1]?.closed();
    branch.wire.write(Buffer.concat([poolData("two"), streamHeader(FRAME_FIN, 0)]));
    await users[0]?.ended();
    expect(users[0]?.text()).toBe("one two");
    pair.close();
  });

  test.each([
    ["a grant in use", [FRAME_GRANT], goOnFrame(1, 1)],
    ["an open frame on a granted one", [FRAME_GRANT], openFrame(FRAME_OPEN_TCP, "127.0.0.1:1")],
  ])("%s ends that pool connection only", async (_what, before, bytes) => {
    const { pair, branch, users } = await setUp();
    branch.wire.write(Buffer.concat([...before.map((type) => streamHeader(type, 0)), bytes]));
    await branch.heard.closed();
    expect(pair.violations).toHaveLength(1);
    expect(users.map(({ events }) => events)).toEqual([[], []]);
    pair.close();
  });

  test("over a pool connection that was not granted ends that at the entry", async () => {
    const pair = lanePair(1);
    const wires: MemoryStream[] = [];
    for (let id = 1; id <= 3; id++) {
      const [stream, wire] = memoryPair();
      pair.entry.add(stream, `0000000${id}`);
      wires.push(wire);
    }
    const conduit = pair.entry.open("tcp", "127.0.0.1:1");
    const user = new RecordingReader(conduit?.stream as ByteStream);
    // The first is the lane, the second the exit's, the third nobody's.
    const heard = wires.map((wire) => new RecordingReader(wire));
    wires[2]?.write(goOnFrame(1, 1));
    await heard[2]?.closed();
    expect(user.events).toEqual([]);
    expect(pair.violations).toHaveLength(1);
    wires[1]?.write(Buffer.concat([goOnFrame(1, 1), poolData("down")]));
    wires[0]?.write(frame(LANE_MOVE, 1, 2));
    await eventually(() => expect(user.text()).toBe("down"));
    pair.close();
  });
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

test("a session without lanes takes none of their frames", async () => {
  const pair: LanePair = lanePair(0);
  const bad = [streamHeader(FRAME_LANE, 0), streamHeader(FRAME_GRANT, 0), goOnFrame(1, 1)];
  for (const [at, bytes] of bad.entries()) {
    const [stream, wire] = memoryPair();
    pair.exit.add(stream, `0000000${at + 1}`);
    const heard = new RecordingReader(wire);
    wire.write(bytes);
    await heard.closed();
  }
  expect(pair.violations).toHaveLength(3);
  pair.close();
});
