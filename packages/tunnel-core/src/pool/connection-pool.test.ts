import { expect, test, vi } from "vitest";
import type { Stream } from "../stream/stream-reader.ts";
import { ConnectionPool } from "./connection-pool.ts";

/** A stream that was cut: Node reports its close only in a later phase of the loop. */
function fakeStream(): Stream & { destroyed: boolean } {
  const stream = { destroyed: false, destroy: vi.fn() };
  stream.destroy.mockImplementation(() => {
    stream.destroyed = true;
  });
  return stream as never;
}

test("gives out no connection that was cut in this turn of the loop", () => {
  const pool = new ConnectionPool({ role: "entry", claimTimeoutMs: 1000, maxClaims: 4 });
  const [cut, good] = [fakeStream(), fakeStream()];
  pool.add(cut, "00000001");
  pool.flush();
  expect(pool.take()).toBeUndefined();
  pool.add(good, "00000002");
  expect(pool.take()?.stream).toBe(good);
});
