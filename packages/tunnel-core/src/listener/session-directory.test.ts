import { expect, test, vi } from "vitest";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { PoolHello } from "../wire/pool-hello.ts";
import { type ListedSession, SessionDirectory } from "./session-directory.ts";

function session(id: string | undefined, address: string, refuses?: string) {
  return {
    id,
    address,
    sizing: id !== undefined,
    hello: vi.fn(() => refuses),
    silent: vi.fn(),
    isAlive: () => Promise.resolve(true),
    end: vi.fn(),
  } satisfies ListedSession;
}

function setUp() {
  const logged: string[] = [];
  const directory = new SessionDirectory({
    logLimited: (_level, message) => logged.push(message),
    offended: () => {},
  });
  const stream = { remoteAddress: "192.0.2.1", destroy: vi.fn() } as unknown as ByteStream;
  const hello = (id: string) => directory.hello(stream, { session: id } as PoolHello, undefined);
  return { directory, logged, stream, hello };
}

test("a hello finds its session by its id, and says why it is refused", () => {
  const { directory, logged, hello } = setUp();
  expect(hello("a")).toBe(false);
  const [one, other] = [session("a", "192.0.2.1"), session("b", "192.0.2.1", "wrong proof")];
  directory.add(one);
  directory.add(other);
  expect([hello("a"), hello("b"), hello("c")]).toEqual([true, false, false]);
  expect(one.hello).toHaveBeenCalledOnce();
  expect(logged).toEqual([
    "pool connection refused: no session",
    "pool connection refused: wrong proof",
    "pool connection refused: not of the present session",
  ]);
  directory.delete(one);
  expect([hello("a"), directory.size]).toEqual([false, 1]);
});

test("an address is expected to have many, or to be silent, as long as its sessions are there", () => {
  const { directory, stream } = setUp();
  const [one, other] = [session("a", "192.0.2.1"), session("b", "192.0.2.1")];
  directory.add(one);
  directory.add(other);
  directory.delete(one);
  directory.delete(one);
  expect(directory.expectsMany("::ffff:192.0.2.1")).toBe(true);
  expect(directory.isPresent("::ffff:192.0.2.1")).toBe(true);
  expect(directory.isPresent("192.0.2.2")).toBe(false);
  expect(directory.silenceMs("192.0.2.1")).toBe(0);
  const old = session(undefined, "192.0.2.1");
  directory.add(old);
  // Beside a client whose hello may be late.
  expect(directory.silenceMs("192.0.2.1")).toBe(250);
  directory.delete(other);
  expect([directory.expectsMany("192.0.2.1"), directory.silenceMs("192.0.2.1")]).toEqual([
    false,
    10,
  ]);
  directory.silent(stream, "192.0.2.1");
  expect(old.silent).toHaveBeenCalledOnce();
  directory.delete(old);
  directory.silent(stream, "192.0.2.1");
  expect([directory.size, directory.silenceMs("192.0.2.1")]).toEqual([0, 0]);
  expect(stream.destroy).toHaveBeenCalledOnce();
});
