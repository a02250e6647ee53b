// Peers that break the rules of lanes: each ends what it must, and nothing else.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type LanePair, lanePair } from "../../test/support/lane-pair.ts";
import { data, eventually, exitSide, frame, open, turns } from "../../test/support/lane-wire.ts";
import { memoryPair } from "../../test/support/memory-stream.ts";
import { RecordingReader } from "../../test/support/recording-reader.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import {
  LANE_CREDIT,
  LANE_FIN,
  LANE_MOVE,
  LANE_OPEN_TCP,
  LANE_OPEN_UDP,
  LANE_RESET,
  LANE_WINDOW_BYTES,
  MAX_LANE_WINDOW_BYTES,
} from "../wire/lane-frame.ts";
import { FRAME_GRANT, FRAME_LANE, goOnFrame, streamHeader } from "../wire/stream-frame.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

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
