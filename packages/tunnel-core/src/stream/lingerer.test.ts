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
