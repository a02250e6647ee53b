import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Latencies } from "../latencies.ts";
import { PoolRefill } from "./pool-refill.ts";

const STREAM = { destroy: () => {} } as never;

/** A refill over a server that answers each dial after a while, and a pool that is a number. */
function setUp(options: {
  secure: boolean;
  roundTripMs: number;
  min?: number;
  max?: number;
  maxDialing?: number;
}) {
  const { min = 8, max = 1024, maxDialing = 384 } = options;
  const seen = {
    failure: undefined as Error | undefined,
    idle: 0,
    inTheAir: 0,
    mostInTheAir: 0,
    dials: 0,
    kept: [] as number[],
  };
  const refill = new PoolRefill({
    context: {
      limits: { minPoolIntervalMs: 100, maxPoolIntervalMs: 1000 },
      latencies: new Latencies(),
      logLimited: () => {},
    } as never,
    dialer: {
      dial: (result) => {
        const id = seen.dials === 0 ? "00000000" : "00000001";
        seen.dials++;
        seen.inTheAir++;
        seen.mostInTheAir = Math.max(seen.mostInTheAir, seen.inTheAir);
        setTimeout(() => {
          seen.inTheAir--;
          if (seen.failure !== undefined) result.onFailed(seen.failure);
          else result.onOpen(STREAM, id, undefined, options.roundTripMs);
        }, options.roundTripMs);
      },
      close: () => {},
    },
    pool: {
      get poolSize() {
        return seen.idle;
      },
      addPoolConnection: () => {
        seen.idle++;
      },
      keep: (most) => {
        seen.kept.push(most);
        seen.idle = Math.min(seen.idle, most);
      },
    },
    secure: options.secure,
    min,
    max,
    maxDialing,
    onFatal: (error) => {
      throw error;
    },
    onControl: () => {},
  });
  /** The entry takes `count` connections. */
  const take = (count: number): void => {
    for (let taken = 0; taken < count; taken++) {
      seen.idle--;
      refill.taken();
    }
  };
  refill.start();
  vi.advanceTimersByTime(options.roundTripMs * 5 + 100);
  return { refill, seen, take };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("how many are in the making", () => {
  test("as many as are computed, where there is no distance", () => {
    const { refill, seen } = setUp({ secure: true, roundTripMs: 0 });
    refill.needed(400);
    expect(refill.window).toBe(8);
    vi.advanceTimersByTime(1000);
    expect([seen.mostInTheAir, seen.idle]).toEqual([8, 400]);
    refill.close();
  });

  test("with TLS over a long road, as many as users wait within two round trips", () => {
    const { refill, seen } = setUp({ secure: true, roundTripMs: 100 });
    expect(seen.idle).toBe(8);
    refill.needed(208);
    vi.advanceTimersByTime(90);
    expect(seen.inTheAir).toBe(200);
    vi.advanceTimersByTime(110);
    expect([seen.idle, seen.inTheAir]).toEqual([208, 0]);
    refill.close();
  });

  test("never more than the server takes of one address, nor ready ones than `max`", () => {
    const old = setUp({ secure: false, roundTripMs: 100, maxDialing: 192 });
    old.refill.needed(1000);
    expect(old.seen.mostInTheAir).toBe(192);
    vi.advanceTimersByTime(1000);
    expect([old.seen.mostInTheAir, old.seen.idle]).toEqual([192, 1000]);
    old.refill.close();
    const small = setUp({ secure: false, roundTripMs: 100, max: 20 });
    small.refill.needed(1000);
    vi.advanceTimersByTime(1000);
    expect(small.seen.idle).toBe(20);
    small.take(5);
    vi.advanceTimersByTime(200);
    expect(small.seen.idle).toBe(20);
    small.refill.close();
  });

  test("begins 8 TLS handshakes in a turn of the loop", () => {
    const { refill, seen } = setUp({ secure: true, roundTripMs: 100, min: 8 });
    refill.needed(108);
    // What was left of a turn's starts, before another turn has been.
    expect(seen.inTheAir).toBeLessThanOrEqual(8);
    // A turn is a millisecond of the fake time.
    vi.advanceTimersByTime(5);
    expect(seen.inTheAir).toBeLessThanOrEqual(48);
    vi.advanceTimersByTime(20);
    expect(seen.inTheAir).toBe(100);
    vi.advanceTimersByTime(200);
    refill.close();
  });

  test("a number that is said twice, or late, makes no more", () => {
    const { refill, seen } = setUp({ secure: false, roundTripMs: 10 });
    refill.needed(50);
    vi.advanceTimersByTime(100);
    refill.needed(50);
    refill.needed(20);
    vi.advanceTimersByTime(100);
    expect([seen.idle, seen.dials]).toEqual([50, 51]);
    refill.close();
  });
});

describe("how the pool shrinks", () => {
  test("by half of what nobody needed in an interval, down to `min`", () => {
    const { refill, seen, take } = setUp({ secure: false, roundTripMs: 1, min: 64 });
    for (let turn = 0; turn < 6; turn++) {
      take(seen.idle);
      vi.advanceTimersByTime(50);
    }
    expect([refill.capacity, seen.idle]).toEqual([1024, 1024]);
    const sizes = Array.from({ length: 6 }, () => {
      refill.tick();
      vi.advanceTimersByTime(5000);
      return seen.idle;
    });
    // The first interval is the one in which all were needed.
    expect(sizes).toEqual([1024, 512, 256, 128, 64, 64]);
    expect(seen.kept).toEqual([512, 256, 128, 64]);
    refill.close();
  });

  test("not while a burst in each interval needs it all", () => {
    const { refill, seen, take } = setUp({ secure: false, roundTripMs: 1, min: 8 });
    for (let interval = 0; interval < 10; interval++) {
      take(seen.idle);
      vi.advanceTimersByTime(2500);
      refill.tick();
      vi.advanceTimersByTime(2500);
    }
    expect(seen.idle).toBe(1024);
    expect(seen.kept).toEqual([]);
    refill.close();
  });

  test("closes the connections that come back idle over what is kept", () => {
    const { refill, seen } = setUp({ secure: false, roundTripMs: 1, min: 8 });
    // 500 users have ended: theirs are used again.
    refill.tick();
    seen.idle += 500;
    const sizes = Array.from({ length: 9 }, () => {
      refill.tick();
      return seen.idle;
    });
    expect(sizes).toEqual([504, 252, 126, 63, 31, 15, 8, 8, 8]);
    refill.close();
  });
});

test("without descriptors it gives back what is idle and does not dial for those who wait", () => {
  const { refill, seen } = setUp({ secure: false, roundTripMs: 1, min: 8 });
  refill.needed(300);
  vi.advanceTimersByTime(50);
  expect(seen.idle).toBe(300);
  seen.failure = Object.assign(new Error("socket EMFILE"), { code: "EMFILE" });
  refill.needed(310);
  vi.advanceTimersByTime(5);
  expect([seen.idle, seen.kept]).toEqual([8, [8]]);
  const { dials } = seen;
  vi.advanceTimersByTime(60_000);
  expect(seen.dials).toBe(dials);
  seen.failure = undefined;
  refill.needed(320);
  vi.advanceTimersByTime(2000);
  expect(seen.idle).toBeGreaterThan(8);
  refill.close();
});
