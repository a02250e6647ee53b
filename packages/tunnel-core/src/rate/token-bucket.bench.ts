import { test } from "vitest";
import { TokenBucket, type TokenWaiter } from "./token-bucket.ts";

const WAITERS = 1000;

test("token bucket", async ({ bench }) => {
  const wide = new TokenBucket(1e12);
  const narrow = new TokenBucket(1);
  const waiters: TokenWaiter[] = Array.from({ length: WAITERS }, () => ({
    queued: false,
    onTokens: () => undefined,
  }));
  await bench("take within the rate", () => {
    wide.take(1);
  }).run();
  await bench("take in debt", () => {
    narrow.take(1);
  }).run();
  await bench(`wait and cancel, ${WAITERS} waiters`, () => {
    for (const waiter of waiters) narrow.wait(waiter);
    for (const waiter of waiters) narrow.cancel(waiter);
  }).run();
  wide.destroy();
  narrow.destroy();
});
