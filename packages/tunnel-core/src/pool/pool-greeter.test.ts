import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type MemoryStream, memoryPair } from "../../test/support/memory-stream.ts";
import type { Arrival } from "../carrier/carrier.ts";
import { createHelloWriter } from "../wire/pool-hello.ts";
import { PoolGreeter } from "./pool-greeter.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

const HELLO = createHelloWriter(Buffer.alloc(8, 1), Buffer.alloc(32, 2))(5);

const open: MemoryStream[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

function setUp(
  options: { admits?: boolean; silentFrom?: string; manyFrom?: string; timeoutMs?: number } = {},
) {
  const gate = {
    hello: vi.fn(() => options.admits !== false),
    size: 1,
    silenceMs: (address: string) => (address === options.silentFrom ? 10 : 0),
    expectsMany: (address: string) => address === options.manyFrom,
    silent: vi.fn(),
  };
  const logLimited = vi.fn();
  const greeter = new PoolGreeter({ logLimited }, gate, options.timeoutMs ?? 5000);
  const arrive = (more: Partial<Arrival> = {}) => {
    const [stream, client] = memoryPair();
    open.push(stream, client);
    const known = vi.fn();
    greeter.greet({ stream, address: "127.0.0.1", known, ...more });
    return { stream, client, known };
  };
  return { gate, greeter, logLimited, arrive };
}

test("admits a hello that came with the opening, with what follows it", () => {
  const { gate, arrive } = setUp();
  const { stream, known } = arrive({ early: Buffer.concat([HELLO, Buffer.from("data")]) });
  expect(gate.hello).toHaveBeenCalledExactlyOnceWith(
    stream,
    expect.objectContaining({ counter: 5 }),
    Buffer.from("data"),
  );
  expect(known).toHaveBeenCalledOnce();
});

test("puts a hello together byte by byte", async () => {
  const { gate, arrive } = setUp();
  const { client } = arrive();
  for (const byte of HELLO) client.writeCopy(Buffer.from([byte]), 1);
  await vi.waitFor(() => expect(gate.hello).toHaveBeenCalledOnce());
});

test("closes what is not admitted, and what is no hello", async () => {
  const { arrive, logLimited, gate } = setUp({ admits: false });
  const refused = arrive({ early: HELLO });
  expect([refused.stream.destroyed, refused.known.mock.calls.length]).toEqual([true, 0]);
  const { stream, client } = arrive();
  client.writeCopy(Buffer.from("what?"), 5);
  await vi.waitFor(() => expect(stream.destroyed).toBe(true));
  expect(logLimited.mock.calls[0]?.[1]).toBe("bad pool hello");
  expect(gate.hello).toHaveBeenCalledOnce();
});

test("gives an id to who is silent, if that is expected of this address", async () => {
  const { gate, arrive } = setUp({ silentFrom: "127.0.0.7" });
  const { stream, known } = arrive({ address: "127.0.0.7" });
  arrive({ address: "127.0.0.8" });
  await vi.waitFor(() => expect(gate.silent).toHaveBeenCalledExactlyOnceWith(stream, "127.0.0.7"));
  expect(known).toHaveBeenCalledOnce();
});

test("gives an id to who has asked for one", () => {
  const { gate, arrive } = setUp();
  const { stream } = arrive({ wantsId: true });
  expect(gate.silent).toHaveBeenCalledExactlyOnceWith(stream, "127.0.0.1");
});

test("closes who says nothing in time, and who ends", async () => {
  const { arrive, greeter, logLimited } = setUp({ timeoutMs: 20 });
  const { stream } = arrive();
  await vi.waitFor(() => expect(stream.destroyed).toBe(true));
  expect(logLimited).toHaveBeenCalledOnce();
  const { stream: other, client } = arrive();
  client.end();
  await vi.waitFor(() => expect(other.destroyed).toBe(true));
  expect(greeter.waiting.size).toBe(0);
});

test("of streams that say nothing the oldest of an address goes, whoever speaks is served", () => {
  const { arrive, greeter, gate, logLimited } = setUp({ manyFrom: "192.0.2.1" });
  const silent = (address: string, count: number) =>
    Array.from({ length: count }, () => arrive({ address }).stream);
  const strangers = silent("198.51.100.1", 300);
  const clients = silent("192.0.2.1", 520);
  expect(strangers.filter(({ destroyed }) => destroyed)).toEqual(strangers.slice(0, 44));
  expect(clients.filter(({ destroyed }) => destroyed)).toEqual(clients.slice(0, 8));
  expect(greeter.waiting.size).toBe(256 + 512);
  const others = Array.from({ length: 300 }, (_, at) => arrive({ address: `203.0.113.${at}` }));
  expect(greeter.waiting.size).toBe(1024);
  expect(others.some(({ stream }) => stream.destroyed)).toBe(false);
  expect(logLimited.mock.calls[0]?.[1]).toMatch(/^too many connections/);
  arrive({ early: HELLO });
  expect(gate.hello).toHaveBeenCalledOnce();
  greeter.close();
  expect(clients.every(({ destroyed }) => destroyed)).toBe(true);
});
