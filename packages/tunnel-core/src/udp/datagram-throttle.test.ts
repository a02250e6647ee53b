import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TokenBucket } from "../rate/token-bucket.ts";
import { DatagramThrottle } from "./datagram-throttle.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** At 100,000 bytes/s a turn is 4 KiB: four datagrams of 1000 bytes, and one into debt. */
function setUp() {
  const bucket = new TokenBucket(100_000);
  const delivered: number[] = [];
  const onDropped = vi.fn();
  const throttle = new DatagramThrottle(
    bucket,
    (datagram) => delivered.push(datagram.readUInt16BE(0)),
    onDropped,
  );
  const push = (count: number): void => {
    for (let at = 0; at < count; at++) {
      const datagram = Buffer.alloc(1000);
      datagram.writeUInt16BE(at, 0);
      throttle.push(datagram);
    }
  };
  return { bucket, delivered, onDropped, throttle, push };
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

test("delivers by the rate, in order", () => {
  const { delivered, push, throttle } = setUp();
  push(100);
  vi.advanceTimersByTime(200);
  expect(delivered.length).toBeGreaterThan(10);
  expect(delivered.length).toBeLessThan(40);
  vi.advanceTimersByTime(2000);
  expect(delivered).toEqual(numbers(100));
  throttle.close();
});

test("a limit that is lifted lets all go that waits", () => {
  const { bucket, delivered, onDropped, push } = setUp();
  push(100);
  expect(delivered.length).toBeLessThan(10);
  bucket.lift();
  expect(delivered).toEqual(numbers(100));
  push(1);
  expect(delivered.length).toBe(101);
  expect(onDropped).not.toHaveBeenCalled();
});

test("counts what it drops when it is closed", () => {
  const { delivered, onDropped, push, throttle } = setUp();
  push(100);
  throttle.close();
  expect(onDropped).toHaveBeenCalledExactlyOnceWith(100 - delivered.length);
  throttle.close();
  expect(onDropped).toHaveBeenCalledOnce();
});
