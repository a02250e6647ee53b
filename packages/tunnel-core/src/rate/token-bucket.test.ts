import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TokenBucket, type TokenWaiter } from "./token-bucket.ts";

const BYTES_PER_MS_OF_1_MBIT = 125;
const mbit = (rate: number) => rate * BYTES_PER_MS_OF_1_MBIT * 1000;

/** Reads of the loop's next turn. */
const reads: (() => void)[] = [];

/** Lets `ms` pass, each in some turns of the loop: timers first, then what sockets have to read. */
function run(ms: number): void {
  for (let passed = 0; passed <= ms; passed++) {
    if (passed > 0) vi.advanceTimersByTime(1);
    while (reads.length > 0) for (const read of reads.splice(0)) read();
  }
}

interface SourceOptions {
  /** Time until the next chunk is there; 0: always there. */
  gapMs?: number;
  /** The most that a socket reads in one turn of the loop; libuv's limit is 32. */
  readsPerTurn?: number;
}

/** Reads like a socket: in a later turn of the loop, as long as it may. */
class Source implements TokenWaiter {
  queued = false;
  bytes = 0;
  calls = 0;
  readonly #bucket: TokenBucket;
  readonly #chunkBytes: number;
  readonly #gapMs: number;
  readonly #readsPerTurn: number;

  constructor(
    bucket: TokenBucket,
    chunkBytes: number,
    { gapMs = 0, readsPerTurn = 32 }: SourceOptions = {},
  ) {
    this.#bucket = bucket;
    this.#chunkBytes = chunkBytes;
    this.#gapMs = gapMs;
    this.#readsPerTurn = gapMs === 0 ? readsPerTurn : 1;
    this.#readLater();
  }

  onTokens(): void {
    this.calls += 1;
    this.#readLater();
  }

  #readLater(): void {
    if (this.#gapMs === 0) reads.push(this.#read);
    else setTimeout(() => reads.push(this.#read), this.#gapMs);
  }

  readonly #read = () => {
    for (let left = this.#readsPerTurn; left > 0; left--) {
      this.bytes += this.#chunkBytes;
      if (!this.#bucket.take(this.#chunkBytes)) {
        this.#bucket.wait(this);
        return;
      }
    }
    this.#readLater();
  };
}

/** Waits, and notes the order in which it is called; has nothing to read. */
function idler(name: string, calls: string[]): TokenWaiter {
  return { queued: false, onTokens: () => void calls.push(name) };
}

const sum = (sources: readonly Source[]) => sources.reduce((all, { bytes }) => all + bytes, 0);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  reads.length = 0;
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe("rate", () => {
  const cases = [10, 100, 1000, 10_000].flatMap((rate) =>
    [1, 8, 64].map((flows) => ({ rate, flows })),
  );

  test.each(cases)("keeps $rate Mbit/s with $flows flows, fairly", ({ rate, flows }) => {
    const bucket = new TokenBucket(mbit(rate));
    const sources = Array.from({ length: flows }, () => new Source(bucket, bucket.quantumBytes));
    run(5000);
    const target = mbit(rate) * 5;
    expect(sum(sources) / target).toBeGreaterThan(0.99);
    expect(sum(sources) / target).toBeLessThan(1.01);
    const shares = sources.map(({ bytes }) => bytes);
    expect(Math.max(...shares) / Math.min(...shares)).toBeLessThanOrEqual(1.2);
  });

  test.each([1460, 16_384, 65_536])("keeps 1000 Mbit/s with reads of %i bytes", (chunk) => {
    const bucket = new TokenBucket(mbit(1000));
    const sources = Array.from({ length: 8 }, () => new Source(bucket, chunk));
    run(1000);
    expect(sum(sources) / mbit(1000)).toBeGreaterThan(0.98);
    expect(sum(sources) / mbit(1000)).toBeLessThan(1.02);
    const shares = sources.map(({ bytes }) => bytes);
    expect(Math.max(...shares) / Math.min(...shares)).toBeLessThanOrEqual(1.2);
  });

  test.each([1, 8])("loses nothing with %i flows when the loop is blocked", (flows) => {
    let blockedMs = 0;
    const bucket = new TokenBucket(mbit(100), { now: () => performance.now() + blockedMs });
    const sources = Array.from({ length: flows }, () => new Source(bucket, bucket.quantumBytes));
    // Every 100 ms the clock jumps by 1 to 200 ms: all timers come late by that.
    for (let step = 0; step < 50; step++) {
      run(100);
      blockedMs += 1 + ((step * 67) % 200);
    }
    run(200);
    const target = (mbit(100) * (50 * 100 + 200 + blockedMs)) / 1000;
    expect(sum(sources) / target).toBeGreaterThan(0.99);
    expect(sum(sources) / target).toBeLessThan(1.01);
    const shares = sources.map(({ bytes }) => bytes);
    expect(Math.max(...shares) / Math.min(...shares)).toBeLessThanOrEqual(1.2);
  });

  test("starts with a burst of at most 20 ms", () => {
    const bucket = new TokenBucket(mbit(100));
    const source = new Source(bucket, bucket.quantumBytes);
    run(0);
    expect(source.bytes).toBeGreaterThan(0);
    expect(source.bytes).toBeLessThanOrEqual((mbit(100) / 1000) * 20);
  });

  test("saves up at most 50 ms while idle", () => {
    const bucket = new TokenBucket(mbit(100));
    run(60_000);
    const source = new Source(bucket, bucket.quantumBytes);
    run(0);
    expect(source.bytes).toBeGreaterThanOrEqual((mbit(100) / 1000) * 50);
    expect(source.bytes).toBeLessThanOrEqual((mbit(100) / 1000) * 60);
  });

  test("saves up at most 1 s over a long sleep of the machine", () => {
    let asleepMs = 0;
    const bucket = new TokenBucket(mbit(100), { now: () => performance.now() + asleepMs });
    const source = new Source(bucket, bucket.quantumBytes);
    run(100);
    const before = source.bytes;
    asleepMs = 3_600_000;
    run(100);
    expect(source.bytes - before).toBeGreaterThan(mbit(100));
    expect(source.bytes - before).toBeLessThan(mbit(100) * 1.13);
  });
});

describe("quantumBytes", () => {
  test.each([
    [1, 4096],
    [10, 12_500],
    [100, 125_000],
    [1000, 524_288],
  ])("at %i Mbit/s is %i bytes", (rate, bytes) => {
    expect(new TokenBucket(mbit(rate)).quantumBytes).toBe(bytes);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses a rate of %d", (rate) => {
    expect(() => new TokenBucket(rate)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTIONS" }),
    );
  });
});

describe("queue", () => {
  test("serves a datagram flow beside one of large chunks", () => {
    const bucket = new TokenBucket(mbit(10));
    const large = new Source(bucket, 60_000);
    const datagrams = new Source(bucket, 500);
    run(5000);
    expect(sum([large, datagrams]) / (mbit(10) * 5)).toBeCloseTo(1, 1);
    // A turn of 12,500 bytes for each 60,000 of the other.
    expect(datagrams.bytes / large.bytes).toBeGreaterThan(0.15);
  });

  test("leaves a flow under the rate almost alone", () => {
    const bucket = new TokenBucket(mbit(100));
    for (let flow = 0; flow < 4; flow++) new Source(bucket, bucket.quantumBytes);
    const calls = new Source(bucket, 200, { gapMs: 20 });
    run(5000);
    // 250 without a limit; four others have a turn of 10 ms each before it.
    expect(calls.bytes / 200).toBeGreaterThan(70);
  });

  test("goes on when the called have nothing to read", () => {
    const bucket = new TokenBucket(mbit(10));
    const idle: string[] = [];
    bucket.take(50_000);
    for (let waiter = 0; waiter < 200; waiter++) bucket.wait(idler(`${waiter}`, idle));
    const source = new Source(bucket, bucket.quantumBytes);
    run(3000);
    expect(idle).toHaveLength(200);
    expect((source.bytes + 50_000) / (mbit(10) * 3)).toBeGreaterThan(0.98);
    expect((source.bytes + 50_000) / (mbit(10) * 3)).toBeLessThan(1.02);
  });

  test("calls in order, and once per wait", () => {
    const bucket = new TokenBucket(mbit(10));
    const calls: string[] = [];
    const first = idler("first", calls);
    expect(bucket.take(100_000)).toBe(false);
    bucket.wait(first);
    bucket.wait(idler("second", calls));
    bucket.wait(first);
    expect(first.queued).toBe(true);
    run(1000);
    expect(calls).toEqual(["first", "second"]);
    expect(first.queued).toBe(false);
  });

  test("does not call before the debt is paid", () => {
    const bucket = new TokenBucket(mbit(10));
    const calls: string[] = [];
    bucket.take(12_500 + 125_000);
    bucket.wait(idler("late", calls));
    run(99);
    expect(calls).toEqual([]);
    run(12);
    expect(calls).toEqual(["late"]);
  });

  test("lets a waiter queue again from within its call, behind the others", () => {
    const bucket = new TokenBucket(mbit(10));
    const calls: string[] = [];
    let rounds = 0;
    const again: TokenWaiter = {
      queued: false,
      onTokens: () => {
        calls.push("again");
        rounds += 1;
        if (rounds < 3) bucket.wait(again);
      },
    };
    bucket.take(100_000);
    bucket.wait(again);
    bucket.wait(idler("other", calls));
    run(1000);
    expect(calls).toEqual(["again", "other", "again", "again"]);
  });

  test("does not lose the others when one throws", () => {
    const bucket = new TokenBucket(mbit(10));
    const calls: string[] = [];
    bucket.take(100_000);
    bucket.wait({
      queued: false,
      onTokens: () => {
        throw new Error("a waiter's own fault");
      },
    });
    bucket.wait(idler("other", calls));
    expect(() => run(1000)).toThrow("a waiter's own fault");
    run(1000);
    expect(calls).toEqual(["other"]);
  });

  test("take(0) says whether a new source may start", () => {
    const bucket = new TokenBucket(mbit(10));
    expect(bucket.take(0)).toBe(true);
    bucket.take(100_000);
    expect(bucket.take(0)).toBe(false);
    bucket.wait(idler("first", []));
    run(75);
    // The debt is paid, but somebody else waits for its turn.
    expect(bucket.take(0)).toBe(false);
    run(20);
    expect(bucket.take(0)).toBe(true);
  });

  test("cancels among 10,000 waiters", () => {
    const bucket = new TokenBucket(mbit(1000));
    const calls: string[] = [];
    const waiters = Array.from({ length: 10_000 }, (_, index) => idler(`${index}`, calls));
    bucket.take(10_000_000);
    for (const waiter of waiters) bucket.wait(waiter);
    for (const [index, waiter] of waiters.entries()) if (index % 2 === 0) bucket.cancel(waiter);
    expect(waiters[0]?.queued).toBe(false);
    run(10_000);
    expect(calls).toEqual(Array.from({ length: 5000 }, (_, index) => `${index * 2 + 1}`));
  });

  test("puts a waiter that cancelled and waits again at the end", () => {
    const bucket = new TokenBucket(mbit(10));
    const calls: string[] = [];
    const first = idler("first", calls);
    bucket.take(100_000);
    bucket.wait(first);
    bucket.wait(idler("second", calls));
    bucket.cancel(first);
    bucket.wait(first);
    run(1000);
    expect(calls).toEqual(["second", "first"]);
  });
});

describe("timer", () => {
  test("is not there while nothing is limited", () => {
    const bucket = new TokenBucket(mbit(100));
    expect(bucket.take(1000)).toBe(true);
    expect(bucket.take(1_000_000)).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("goes with the last waiter called", () => {
    const bucket = new TokenBucket(mbit(100));
    const calls: string[] = [];
    bucket.take(1_000_000);
    bucket.wait(idler("a", calls));
    bucket.wait(idler("b", calls));
    expect(vi.getTimerCount()).toBe(1);
    run(1000);
    expect(calls).toEqual(["a", "b"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("goes with the last waiter cancelled", () => {
    const bucket = new TokenBucket(mbit(100));
    const waiter = idler("a", []);
    bucket.take(1_000_000);
    bucket.wait(waiter);
    bucket.cancel(waiter);
    bucket.cancel(waiter);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("wakes up at most some hundred times a second", () => {
    const bucket = new TokenBucket(mbit(1000));
    const sources = Array.from({ length: 64 }, () => new Source(bucket, 65_536));
    const wakeUps = vi.spyOn(globalThis, "setTimeout");
    run(1000);
    expect(wakeUps.mock.calls.length).toBeLessThan(800);
    expect(sources.every(({ calls }) => calls > 0)).toBe(true);
  });
});

describe("destroy", () => {
  test("drops the waiters and limits nothing any more", () => {
    const bucket = new TokenBucket(mbit(100));
    const calls: string[] = [];
    const waiter = idler("a", calls);
    bucket.take(1_000_000);
    bucket.wait(waiter);
    bucket.destroy();
    bucket.destroy();
    expect(waiter.queued).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
    expect(bucket.take(1_000_000)).toBe(true);
    bucket.wait(waiter);
    run(1000);
    expect(calls).toEqual([]);
  });

  test("may be called from within a waiter's call", () => {
    const bucket = new TokenBucket(mbit(100));
    const calls: string[] = [];
    bucket.take(1_000_000);
    bucket.wait({ queued: false, onTokens: () => bucket.destroy() });
    bucket.wait(idler("other", calls));
    run(1000);
    expect(calls).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
