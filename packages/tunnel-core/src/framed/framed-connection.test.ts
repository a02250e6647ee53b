import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import type { RelayContext } from "../relay/relay-context.ts";
import { RelayBuffers } from "../stream/relay-buffers.ts";
import type { Stream } from "../stream/stream-reader.ts";
import { FRAME_DATA, FRAME_FIN, streamHeader } from "../wire/stream-frame.ts";
import { FramedConnection } from "./framed-connection.ts";
import type { FramedRelay } from "./framed-relay.ts";

/** A plain stream on which every write is done at once. */
function fakeStream(): Stream & EventEmitter {
  const stream = Object.assign(new EventEmitter(), {
    destroyed: false,
    destroy: vi.fn(),
    pause: vi.fn(),
    resume: vi.fn(),
    write: (_bytes: Buffer, done?: () => void): boolean => {
      done?.();
      return true;
    },
  });
  return Object.assign(stream, { raw: stream }) as never;
}

/** An entry's connection and the local side of it, which takes bytes at once or never. */
function setUp(taking: boolean) {
  const buffers = new RelayBuffers();
  const context = { buffers, flushes: { add: vi.fn() } } as unknown as RelayContext;
  const owner = { role: "entry", onReusable: vi.fn(), onGone: vi.fn() } as const;
  const stream = fakeStream();
  const connection = new FramedConnection(context, stream, "00000001", {
    ...owner,
    onOpenTcp: vi.fn(),
    onOpenUdp: vi.fn(),
    onViolation: (error) => {
      throw error;
    },
  });
  const local = { writableLength: 0 };
  const relay = {
    closed: false,
    stream: local,
    deliver: () => taking,
    peerEnded: vi.fn(),
    detach: vi.fn(),
  } as unknown as FramedRelay;
  connection.open("127.0.0.1:1", relay);
  const read = (...pieces: Buffer[]): void => {
    const bytes = Buffer.concat(pieces);
    connection.onBytes(bytes, bytes.length, false);
  };
  return { buffers, connection, stream, owner, local, read };
}

const LARGE = 20_000;
const DATA = Buffer.concat([streamHeader(FRAME_DATA, LARGE), Buffer.alloc(LARGE)]);
const FIN = streamHeader(FRAME_FIN, 0);

test("an idle connection keeps no bulk buffer for the large read that was its last", () => {
  const { buffers, connection, owner, read } = setUp(true);
  connection.sendFin();
  read(DATA, FIN);
  expect(owner.onReusable).toHaveBeenCalledOnce();
  expect(buffers.lent).toBe(0);
});

test("gives its bulk buffer back when it closes as a UDP session's connection", () => {
  const { buffers, connection, stream, owner, local, read } = setUp(false);
  connection.sendFin();
  read(DATA);
  expect(buffers.lent).toBe(1);
  local.writableLength = LARGE;
  read(FIN);
  local.writableLength = 0;
  connection.settle();
  expect(owner.onReusable).toHaveBeenCalledOnce();
  connection.openUdp("127.0.0.1:1");
  stream.emit("close");
  expect(buffers.lent).toBe(0);
});

test("is not used again after a long upload, of which it can't know what the target has read", () => {
  const { connection, stream, owner, read } = setUp(true);
  connection.sendData(Buffer.alloc(LARGE), LARGE);
  connection.sendData(Buffer.alloc(LARGE), LARGE);
  connection.sendFin();
  read(FIN);
  expect(stream.destroy).toHaveBeenCalledOnce();
  expect(owner.onReusable).not.toHaveBeenCalled();
});
