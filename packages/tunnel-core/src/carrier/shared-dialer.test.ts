import { afterEach, expect, test, vi } from "vitest";
import { memoryPair } from "../../test/support/memory-stream.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import { type SharedConnection, SharedDialer } from "./shared-dialer.ts";

/** A connection that opens as many streams as the test lets it. */
class FakeConnection implements SharedConnection {
  isOpen = true;
  room = Number.POSITIVE_INFINITY;
  streams = 0;
  closed: Error | undefined;

  openStream(): ByteStream | undefined {
    if (this.streams >= this.room) return undefined;
    this.streams++;
    return memoryPair()[0];
  }

  close(reason: Error): void {
    this.isOpen = false;
    this.closed = reason;
  }
}

interface Attempt {
  readonly signal: AbortSignal;
  stands(connection: FakeConnection): void;
  fails(error: Error): void;
}

class FakeDialer extends SharedDialer {
  readonly attempts: Attempt[] = [];

  protected connect(signal: AbortSignal): Promise<SharedConnection> {
    return new Promise((resolve, reject) => {
      this.attempts.push({ signal, stands: resolve, fails: reject });
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }
}

function setUp() {
  const dialer = new FakeDialer();
  const want = () => {
    const wanted = { onStream: vi.fn(), onFailed: vi.fn() };
    return { ...wanted, dial: dialer.open(wanted) };
  };
  /** The connection of the attempt with this number stands. */
  const stands = async (at: number): Promise<FakeConnection> => {
    const connection = new FakeConnection();
    dialer.attempts[at]?.stands(connection);
    await turn();
    return connection;
  };
  return { dialer, want, stands };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

test("dials once for all who wait, and once more when the connection was lost", async () => {
  const { dialer, want, stands } = setUp();
  const both = [want(), want()];
  const connection = await stands(0);
  for (const { onStream } of both) expect(onStream).toHaveBeenCalledOnce();
  const waits = want();
  connection.isOpen = false;
  dialer.onLost(connection, new Error("cut"));
  expect(waits.onFailed).toHaveBeenCalledExactlyOnceWith(new Error("cut"));
  const next = want();
  await stands(1);
  expect(next.onStream).toHaveBeenCalledOnce();
  expect(dialer.attempts.length).toBe(2);
});

test("who comes after the last one gave up has a connection of its own", async () => {
  const { dialer, want, stands } = setUp();
  want().dial.cancel();
  expect(dialer.attempts[0]?.signal.aborted).toBe(true);
  // In the same turn: what was given up has not ended yet.
  const late = want();
  await turn();
  expect(late.onFailed).not.toHaveBeenCalled();
  await stands(1);
  expect(late.onStream).toHaveBeenCalledOnce();
});

test("a connection that stands when nobody waits for it any more is closed", async () => {
  const { dialer, want } = setUp();
  const { dial, onFailed } = want();
  const connection = new FakeConnection();
  dialer.attempts[0]?.stands(connection);
  dial.cancel();
  await turn();
  expect(connection.closed?.message).toMatch(/nobody waits/);
  expect(onFailed).not.toHaveBeenCalled();
});

test("one that fails to the end of its time fails those who wait, and no one else", async () => {
  const { dialer, want } = setUp();
  const first = want();
  dialer.attempts[0]?.fails(new Error("refused"));
  await turn();
  expect(first.onFailed).toHaveBeenCalledExactlyOnceWith(new Error("refused"));
  const second = want();
  await turn();
  expect(second.onFailed).not.toHaveBeenCalled();
});

test("one that takes no more streams keeps those it has, and the next one takes over", async () => {
  const { dialer, want, stands } = setUp();
  want();
  const former = await stands(0);
  former.isOpen = false;
  const waits = want();
  const connection = await stands(1);
  expect(waits.onStream).toHaveBeenCalledOnce();
  expect(former.closed).toBeUndefined();
  // Its end is nobody's here.
  const other = want();
  dialer.onLost(former, new Error("gone away"));
  await turn();
  expect(other.onFailed).not.toHaveBeenCalled();
  expect([connection.streams, connection.closed]).toEqual([2, undefined]);
});

test("those who wait while it takes no more are served by the next one", async () => {
  const { dialer, want, stands } = setUp();
  want();
  const full = await stands(0);
  full.room = 1;
  const waits = want();
  await turn();
  expect([waits.onStream.mock.calls.length, dialer.attempts.length]).toEqual([0, 1]);
  full.isOpen = false;
  dialer.onRoom(full);
  await stands(1);
  expect(waits.onStream).toHaveBeenCalledOnce();
  // The last stream of the former one has gone.
  full.streams = 0;
  dialer.onRoom(full);
  expect(full.closed).toBeDefined();
});

test("who waits for room gets it when a stream has gone", async () => {
  const { dialer, want, stands } = setUp();
  want();
  const connection = await stands(0);
  connection.room = 1;
  const waits = want();
  await turn();
  expect(waits.onStream).not.toHaveBeenCalled();
  connection.streams = 0;
  dialer.onRoom(connection);
  expect(waits.onStream).toHaveBeenCalledOnce();
});

test("one that has closed before anybody could use it fails those who wait", async () => {
  const { dialer, want } = setUp();
  const { onFailed } = want();
  const connection = new FakeConnection();
  connection.isOpen = false;
  dialer.attempts[0]?.stands(connection);
  await turn();
  expect(onFailed.mock.calls[0]?.[0]).toMatchObject({ code: "PEER_LOST" });
});

test("a dialer that closes tells nobody, and keeps what carries somebody", async () => {
  const { dialer, want, stands } = setUp();
  want();
  const connection = await stands(0);
  connection.room = 1;
  const waits = want();
  dialer.close();
  expect(connection.closed).toBeUndefined();
  connection.streams = 0;
  dialer.onRoom(connection);
  expect(connection.closed).toMatchObject({ code: "CLOSED" });
  const late = want();
  await turn();
  for (const { onStream, onFailed } of [waits, late]) {
    expect(onStream).not.toHaveBeenCalled();
    expect(onFailed).not.toHaveBeenCalled();
  }
  expect(dialer.attempts.length).toBe(1);
});
