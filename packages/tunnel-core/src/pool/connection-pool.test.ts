import { expect, test } from "vitest";
import { memoryPair } from "../../test/support/memory-stream.ts";
import { ConnectionPool } from "./connection-pool.ts";

test("gives out no connection that was cut in this turn of the loop", () => {
  const pool = new ConnectionPool({ role: "entry", claimTimeoutMs: 1000, maxClaims: 4 });
  const [[cut], [good]] = [memoryPair(), memoryPair()];
  pool.add(cut, "00000001");
  pool.flush();
  expect(pool.take()).toBeUndefined();
  pool.add(good, "00000002");
  expect(pool.take()?.stream).toBe(good);
});
