import { expect, test } from "vitest";
import { type MemoryStream, memoryPair } from "../../test/support/memory-stream.ts";
import { Lingerer } from "./lingerer.ts";

/** A stream whose other side reads nothing, with bytes that wait for it. */
function unread(): MemoryStream {
  const [stream, other] = memoryPair({ capacity: 1 });
  other.pause();
  stream.writeCopy(Buffer.alloc(2), 2);
  return stream;
}

test("closes the stream that has waited longest when there are too many", () => {
  const lingerer = new Lingerer();
  const streams = Array.from({ length: 4098 }, unread);
  for (const stream of streams) lingerer.end(stream);
  expect(streams.filter(({ destroyed }) => destroyed)).toEqual(streams.slice(0, 2));
  lingerer.close();
  expect(streams.every(({ destroyed }) => destroyed)).toBe(true);
});

test("keeps nothing waiting, and no timer, for what comes after its end", () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const lingerer = new Lingerer();
  lingerer.close();
  const before = timers();
  const [ended, left, used] = [unread(), unread(), unread()];
  lingerer.end(ended);
  lingerer.leave({ stream: left, idle: true });
  lingerer.leave({ stream: used, idle: false });
  expect([ended, left, used].map(({ destroyed }) => destroyed)).toEqual([true, true, false]);
  expect(timers()).toBe(before);
});
