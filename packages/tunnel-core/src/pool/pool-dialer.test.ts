import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeCarrier } from "../../test/support/fake-carrier.ts";
import { memoryPair } from "../../test/support/memory-stream.ts";
import { RecordingReader } from "../../test/support/recording-reader.ts";
import { TunnelError } from "../errors.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import { createHelloWriter, MAX_HELLO_COUNTER, parseHello } from "../wire/pool-hello.ts";
import { PoolDialer } from "./pool-dialer.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

const HELLO = createHelloWriter(Buffer.alloc(8, 1), Buffer.alloc(32, 2));

class Result {
  readonly opened: { stream: ByteStream; id: string; early: string | undefined }[] = [];
  readonly failed: Error[] = [];
  onOpen(stream: ByteStream, id: string, early: Buffer | undefined): void {
    this.opened.push({ stream, id, early: early?.toString() });
  }
  onFailed(error: Error): void {
    this.failed.push(error);
  }
}

let carrier: FakeCarrier;
let result: Result;

beforeEach(() => {
  carrier = new FakeCarrier();
  result = new Result();
});
afterEach(() => carrier.cut());

const codes = (): string[] =>
  result.failed.map((error) => (error instanceof TunnelError ? error.code : error.message));

describe("to a node of this project", () => {
  test("says hello first, with the counter that is the connection's id", async () => {
    const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: HELLO });
    for (let count = 0; count < 3; count++) dialer.dial(result);
    const servers = [0, 1, 2].map((at) => new RecordingReader(carrier.accept(at)));
    expect(result.opened.map(({ id }) => id)).toEqual(["00000000", "00000001", "00000002"]);
    for (const [at, server] of servers.entries()) {
      server.stream.resume();
      await vi.waitFor(() => {
        expect(parseHello(Buffer.from(server.text(), "latin1"))?.counter).toBe(at);
      });
    }
    dialer.close();
  });

  test("uses counter 0 again for a control connection that failed, no other", () => {
    const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: HELLO });
    dialer.dial(result);
    carrier.fail(0, Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
    dialer.dial(result);
    dialer.dial(result);
    carrier.accept(1);
    carrier.fail(2, new Error("lost"));
    dialer.dial(result);
    carrier.accept(3);
    expect(result.opened.map(({ id }) => id)).toEqual(["00000000", "00000002"]);
    expect(result.failed.length).toBe(2);
    dialer.close();
  });

  test("has no hello for a counter over 2^32 - 1: only a new handshake gives new ones", async () => {
    const firstCounter = MAX_HELLO_COUNTER;
    const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: HELLO, firstCounter });
    dialer.dial(result);
    carrier.accept(0);
    expect(result.opened.map(({ id }) => id)).toEqual(["ffffffff"]);
    dialer.dial(result);
    expect(result.failed).toEqual([]);
    await vi.waitFor(() => expect(codes()).toEqual(["HELLO_INVALID"]));
    expect(carrier.wanted.length).toBe(1);
    dialer.close();
  });
});

describe("to a 1.14 server", () => {
  test("waits for four bytes of id, however they are cut, and keeps what follows", async () => {
    const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: undefined });
    dialer.dial(result);
    const server = carrier.accept(0);
    server.writeCopy(Buffer.from([0xee, 0x8a, 0xfa]), 3);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(result.opened).toEqual([]);
    server.writeCopy(Buffer.from("\x28early", "latin1"), 6);
    await vi.waitFor(() => expect(result.opened.length).toBe(1));
    expect(result.opened[0]).toMatchObject({ id: "ee8afa28", early: "early" });
    dialer.close();
  });

  test("asks for the id by a byte 00 where the carrier wants it", async () => {
    const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: undefined, asksId: true });
    dialer.dial(result);
    const server = carrier.accept(0);
    const reader = new RecordingReader(server);
    server.resume();
    await vi.waitFor(() => expect(reader.text()).toBe("\0"));
    server.writeCopy(Buffer.alloc(4), 4);
    await vi.waitFor(() => expect(result.opened).toMatchObject([{ id: "00000000" }]));
    dialer.close();
  });

  test("takes an id that came right behind a proxy's answer", async () => {
    const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: undefined });
    dialer.dial(result);
    const [stream] = memoryPair();
    carrier.wanted[0]?.onStream(stream, Buffer.from("ee8afa28ff", "hex"));
    expect(result.opened).toMatchObject([{ id: "ee8afa28", early: "\ufffd" }]);
    dialer.close();
  });

  test("fails if the server closes before it has sent one", async () => {
    const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: undefined });
    dialer.dial(result);
    carrier.accept(0).end();
    await vi.waitFor(() => expect(codes()).toEqual(["PEER_LOST"]));
    dialer.close();
  });
});

test("gives up after its time, and tells the carrier", async () => {
  const dialer = new PoolDialer({ carrier, timeoutMs: 20, hello: HELLO });
  dialer.dial(result);
  await vi.waitFor(() => expect(codes()).toEqual(["HANDSHAKE_TIMEOUT"]));
  expect(carrier.cancelled).toBe(1);
  dialer.close();
});

test("a close fails what is under way and closes the carrier's side of the session", () => {
  const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: HELLO });
  dialer.dial(result);
  dialer.close();
  expect(codes()).toEqual(["CLOSED"]);
  expect([carrier.cancelled, carrier.closed]).toEqual([1, true]);
});

const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

test.each([
  ["refused", system("ECONNREFUSED"), 1],
  ["lost", new TunnelError("PEER_LOST", "closed"), 1],
  ["out of descriptors", system("EMFILE"), 0],
  ["out of ports, told by a carrier", new Error("dial", { cause: system("EADDRNOTAVAIL") }), 0],
  ["closed", new TunnelError("CLOSED", "closed"), 0],
])("an address is to blame, or not: %s", (_name, error, blamed) => {
  const onUnreachable = vi.fn();
  const dialer = new PoolDialer({ carrier, timeoutMs: 1000, hello: HELLO, onUnreachable });
  dialer.dial(result);
  carrier.fail(0, error);
  expect(result.failed).toEqual([error]);
  expect(onUnreachable).toHaveBeenCalledTimes(blamed);
  dialer.dial(result);
  dialer.close();
  expect(onUnreachable).toHaveBeenCalledTimes(blamed);
});
