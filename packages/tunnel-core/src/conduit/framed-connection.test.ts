import { beforeEach, expect, test, vi } from "vitest";
import { type MemoryStream, memoryPair } from "../../test/support/memory-stream.ts";
import { RecordingReader } from "../../test/support/recording-reader.ts";
import { SHARED } from "../stream/byte-stream.ts";
import { FlushQueue } from "../stream/flush-queue.ts";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_OPEN_TCP,
  FRAME_OPEN_UDP,
  openFrame,
  streamHeader,
} from "../wire/stream-frame.ts";
import { FramedConnection } from "./framed-connection.ts";
import type { FramedStream } from "./framed-stream.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

/** One end of a framed connection; the other side of its stream is the test's. */
function setUp(role: "entry" | "exit") {
  const [stream, wire] = memoryPair();
  const owner = {
    role,
    onReusable: vi.fn(),
    onGone: vi.fn(),
    onOpenTcp: vi.fn<(user: FramedStream, remote: string) => void>(),
    onOpenUdp: vi.fn<(given: unknown, remote: string, early: Buffer | undefined) => void>(),
    onViolation: vi.fn<(error: Error) => void>(),
  };
  const rest = vi.spyOn(stream, "rest");
  const connection = new FramedConnection(stream, "00000001", owner, new FlushQueue());
  stream.setReader(connection);
  const read = (...pieces: Buffer[]): boolean => {
    const bytes = Buffer.concat(pieces);
    return connection.onBytes(bytes, bytes.length, SHARED);
  };
  return { connection, stream, wire: new RecordingReader(wire), owner, read, rest };
}

const data = (bytes: Buffer | string): Buffer =>
  Buffer.concat([streamHeader(FRAME_DATA, bytes.length), Buffer.from(bytes)]);
const FIN = streamHeader(FRAME_FIN, 0);
const OPEN = openFrame(FRAME_OPEN_TCP, "127.0.0.1:1");
const LARGE = Buffer.alloc(20_000);

function sent(stream: MemoryStream): string {
  return Buffer.concat(stream.written).toString("latin1");
}

test("is used again when both sides have ended and all was taken", async () => {
  const { connection, stream, owner, read } = setUp("entry");
  const user = new RecordingReader(connection.open("127.0.0.1:1"));
  user.stream.writeCopy(Buffer.from("ask"), 3);
  user.stream.end();
  expect(sent(stream)).toBe(
    `${OPEN.toString("latin1")}${data("ask").toString("latin1")}\x04\0\0\0`,
  );
  expect(connection.idle).toBe(false);
  expect(read(data("answer"), FIN)).toBe(true);
  expect(owner.onReusable).toHaveBeenCalledOnce();
  expect(connection.idle).toBe(true);
  expect(user.text()).toBe("answer");
  await user.closed();
  expect(user.events).toEqual(["end", "close"]);
  // Whatever the last user does now is nothing to the next one.
  const next = new RecordingReader(connection.open("127.0.0.1:2"));
  user.stream.writeCopy(Buffer.from("late"), 4);
  user.stream.reset();
  expect(stream.destroyed).toBe(false);
  read(data("for the next"));
  expect(next.text()).toBe("for the next");
});

test("waits with the next user until the last one has taken his bytes", () => {
  const { connection, owner, read } = setUp("entry");
  const user = new RecordingReader(connection.open("127.0.0.1:1"));
  user.onRead = () => false;
  user.stream.end();
  expect(read(data("answer"), FIN)).toBe(false);
  expect(owner.onReusable).not.toHaveBeenCalled();
  user.stream.resume();
  expect(owner.onReusable).toHaveBeenCalledOnce();
});

test("an open frame goes out alone at the end of the turn if no data comes", async () => {
  const { connection, stream } = setUp("entry");
  connection.open("127.0.0.1:1");
  expect(sent(stream)).toBe("");
  await vi.waitFor(() => expect(sent(stream)).toBe(OPEN.toString("latin1")));
});

test("says that no bulk is expected when its user has ended", () => {
  const { connection, owner, read, rest } = setUp("entry");
  const user = new RecordingReader(connection.open("127.0.0.1:1"));
  user.stream.end();
  read(data(LARGE), FIN);
  expect(owner.onReusable).toHaveBeenCalledOnce();
  expect(rest).toHaveBeenCalled();
});

test("is not used again after a long upload, of which it can't know what the target has read", () => {
  const { connection, stream, owner, read } = setUp("entry");
  const user = connection.open("127.0.0.1:1");
  user.writeCopy(LARGE, LARGE.length);
  user.writeCopy(LARGE, LARGE.length);
  user.end();
  read(FIN);
  expect(stream.destroyed).toBe(true);
  expect(owner.onReusable).not.toHaveBeenCalled();
});

test("sends bytes where they lie if there is room for a header before them", () => {
  const { connection, stream } = setUp("entry");
  const user = connection.open("127.0.0.1:1");
  const whole = Buffer.from("....where they lie");
  expect(user.write(whole.subarray(4), 4)).toBe(true);
  expect(sent(stream)).toBe(OPEN.toString("latin1") + data("where they lie").toString("latin1"));
  expect(whole.subarray(0, 4)).toEqual(streamHeader(FRAME_DATA, 14));
});

test("an exit hands on what its peer opens, with what follows at once", () => {
  const { owner, read } = setUp("exit");
  let user: RecordingReader | undefined;
  owner.onOpenTcp.mockImplementation((stream) => {
    user = new RecordingReader(stream);
  });
  read(OPEN, data("early"), FIN);
  expect(owner.onGone).toHaveBeenCalledOnce();
  expect(owner.onOpenTcp.mock.calls[0]?.[1]).toBe("127.0.0.1:1");
  expect(user?.text()).toBe("early");
  expect(user?.events).toEqual(["end"]);
});

test("an exit keeps the next user's open frame until the last one is over", () => {
  const { connection, owner, read } = setUp("exit");
  const users: RecordingReader[] = [];
  owner.onOpenTcp.mockImplementation((stream) => {
    users.push(new RecordingReader(stream));
  });
  read(OPEN, data("one"), FIN);
  read(openFrame(FRAME_OPEN_TCP, "127.0.0.1:2"), data("two"));
  expect(users.length).toBe(1);
  users[0]?.stream.end();
  expect(owner.onReusable).toHaveBeenCalledOnce();
  expect(users.map((user) => user.text())).toEqual(["one", "two"]);
  expect(connection.idle).toBe(false);
});

test("stops reading when too much is kept for the next user", () => {
  const { owner, read } = setUp("exit");
  owner.onOpenTcp.mockImplementation((stream) => {
    new RecordingReader(stream);
  });
  read(OPEN, FIN);
  expect(read(openFrame(FRAME_OPEN_TCP, "127.0.0.1:2"), data(Buffer.alloc(4000)))).toBe(true);
  expect(read(data(LARGE))).toBe(false);
});

test("gives its stream away to a UDP session, with what came after", () => {
  const { owner, read, stream } = setUp("exit");
  read(openFrame(FRAME_OPEN_UDP, "127.0.0.1:1"), Buffer.from("\0\x01x", "latin1"));
  const [given, remote, early] = owner.onOpenUdp.mock.calls[0] ?? [];
  expect([given, remote, String(early)]).toEqual([stream, "127.0.0.1:1", "\0\x01x"]);
  expect(owner.onGone).toHaveBeenCalledOnce();
});

test.each([
  ["data in the idle state", "exit", data("x")],
  ["a fin in the idle state", "exit", FIN],
  ["an open frame at the entry", "entry", OPEN],
  ["an open frame in a connection's life", "exit", Buffer.concat([OPEN, OPEN])],
  ["an open frame without an address", "exit", openFrame(FRAME_OPEN_TCP, "nowhere")],
] as const)("%s resets the pool connection", (_what, role, bytes) => {
  const { owner, read, stream } = setUp(role);
  read(bytes);
  expect(owner.onViolation).toHaveBeenCalledOnce();
  expect(stream.wasReset).toBe(true);
});

test("an end in the middle of a connection is a reset of it", async () => {
  const { connection, stream, wire } = setUp("entry");
  const user = new RecordingReader(connection.open("127.0.0.1:1"));
  stream.resume();
  wire.stream.end();
  await user.closed();
  expect(user.events).not.toContain("end");
  expect(stream.wasReset).toBe(true);
});

test("an end while idle closes it, and it leaves the pool", async () => {
  const { owner, stream, wire } = setUp("exit");
  stream.resume();
  wire.stream.end();
  await vi.waitFor(() => expect(owner.onGone).toHaveBeenCalledOnce());
  expect(stream.destroyed).toBe(true);
  expect(stream.wasReset).toBe(false);
});
