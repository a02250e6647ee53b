// Streams that go on over pool connections, and peers that bring them to where they do not belong.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { lanePair } from "../../test/support/lane-pair.ts";
import { data, eventually, exitSide, frame, open, turns } from "../../test/support/lane-wire.ts";
import { type MemoryStream, memoryPair } from "../../test/support/memory-stream.ts";
import { RecordingReader } from "../../test/support/recording-reader.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import { LANE_MOVE, LANE_OPEN_UDP, LANE_RESET } from "../wire/lane-frame.ts";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_GRANT,
  FRAME_OPEN_TCP,
  goOnFrame,
  openFrame,
  streamHeader,
} from "../wire/stream-frame.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
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
