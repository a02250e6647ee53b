import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { contextFor } from "../../test/support/memory-context.ts";
import { memoryPair } from "../../test/support/memory-stream.ts";
import { TunnelError, type TunnelErrorCode } from "../errors.ts";
import type { PoolDialResult } from "./pool-dialer.ts";
import { PoolRefill } from "./pool-refill.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(options: { min?: number; max?: number; secure?: boolean } = {}) {
  const dials: PoolDialResult[] = [];
  const pool = {
    poolSize: 0,
    addPoolConnection: () => pool.poolSize++,
    keep: (most: number) => {
      pool.poolSize = Math.min(pool.poolSize, most);
    },
  };
  const onFatal = vi.fn<(error: Error) => void>();
  const onControl = vi.fn();
  const dialer = { dial: (result: PoolDialResult) => dials.push(result), close: vi.fn() };
  const refill = new PoolRefill({
    context: contextFor("client://127.0.0.1:1/127.0.0.1:2?mode=2"),
    dialer,
    pool,
    secure: options.secure === true,
    min: options.min ?? 4,
    max: options.max ?? 64,
    maxDialing: 512,
    onFatal,
    onControl,
  });
  const open = (count = dials.length): void => {
    for (const dial of dials.splice(0, count)) {
      const [stream] = memoryPair();
      const id = onControl.mock.calls.length === 0 ? "00000000" : "00000001";
      dial.onOpen(stream, id, undefined, 0);
    }
  };
  const take = (): void => {
    pool.poolSize--;
    refill.taken();
  };
  return { refill, dials, dialer, pool, onFatal, onControl, open, take };
}

/** Ready: the control connection stands, and the pool is full. */
function filled(options: Parameters<typeof setUp>[0] = {}) {
  const all = setUp(options);
  all.refill.start();
  all.open();
  all.open();
  return all;
}

test("opens the control connection alone, then fills the pool up to its least", () => {
  const { refill, dials, open, onControl, pool } = setUp();
  refill.start();
  expect(dials.length).toBe(1);
  open();
  expect(onControl).toHaveBeenCalledOnce();
  expect(pool.poolSize).toBe(0);
  expect(dials.length).toBe(4);
  open();
  expect(pool.poolSize).toBe(4);
  expect(dials.length).toBe(0);
});

test("dials one at the moment one is taken", () => {
  const { dials, take } = filled();
  take();
  expect(dials.length).toBe(1);
  take();
  expect(dials.length).toBe(2);
});

test("doubles when a burst empties the pool, once a burst, up to the most", () => {
  const { refill, open, take, pool } = filled({ min: 4, max: 12 });
  for (let left = 4; left > 0; left--) take();
  expect(refill.capacity).toBe(8);
  open();
  expect(pool.poolSize).toBe(8);
  for (let left = 8; left > 0; left--) take();
  expect(refill.capacity).toBe(12);
});

test("does few TLS handshakes at a time, which users would wait for", () => {
  const { refill, dials, open } = setUp({ min: 64, secure: true });
  refill.start();
  open();
  expect(dials.length).toBe(8);
});

test("tries again later, at growing intervals, when a connection fails", () => {
  const { dials, take } = filled();
  take();
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  dials.splice(0)[0]?.onFailed(refused);
  expect(dials.length).toBe(0);
  vi.advanceTimersByTime(10);
  expect(dials.length).toBe(1);
  dials.splice(0)[0]?.onFailed(refused);
  vi.advanceTimersByTime(19);
  expect(dials.length).toBe(0);
  vi.advanceTimersByTime(1);
  expect(dials.length).toBe(1);
});

test.each(["ECONNREFUSED", "ECONNRESET", "EPROTO", "PEER_LOST"])(
  "dials the control connection again after %s: a 1.14 server opens its listener anew",
  (code) => {
    const { refill, dials, onFatal } = setUp();
    refill.start();
    const error =
      code === "PEER_LOST" ? new TunnelError(code, "gone") : Object.assign(new Error(""), { code });
    dials.splice(0)[0]?.onFailed(error);
    vi.advanceTimersByTime(10);
    expect(dials.length).toBe(1);
    expect(onFatal).not.toHaveBeenCalled();
  },
);

test("any other failure of the control connection ends the session", () => {
  const { refill, dials, onFatal } = setUp();
  refill.start();
  dials[0]?.onFailed(new TunnelError("HANDSHAKE_TIMEOUT", "no pool connection within 5000 ms"));
  expect(onFatal).toHaveBeenCalledOnce();
});

// The code decides, not how the text begins.
test.each<TunnelErrorCode>(["PEER_CERTIFICATE_MISMATCH", "HELLO_INVALID"])(
  "%s ends the session whenever it comes",
  (code) => {
    const { dials, take, onFatal } = filled();
    take();
    const error = new TunnelError(code, "whatever it says");
    dials[0]?.onFailed(error);
    expect(onFatal).toHaveBeenCalledExactlyOnceWith(error);
    vi.advanceTimersByTime(10_000);
    expect(dials.length).toBe(1);
  },
);

test("fills a pool that was lost as a whole at once, and one that is cut again and again slowly", () => {
  const { refill, dials, pool, open } = filled();
  const loseAll = (): void => {
    while (pool.poolSize > 0) {
      pool.poolSize--;
      refill.lost();
    }
  };
  loseAll();
  expect(dials.length).toBe(4);
  open();
  loseAll();
  expect(dials.length).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(dials.length).toBe(4);
});

test("dials nothing after its close, and closes what comes late", () => {
  const { refill, dials, dialer, open, take, pool } = filled();
  take();
  refill.close();
  expect(dialer.close).toHaveBeenCalledOnce();
  open();
  expect(pool.poolSize).toBe(3);
  take();
  refill.tick();
  vi.advanceTimersByTime(10_000);
  expect(dials.length).toBe(0);
});
