import { test } from "vitest";
import { memoryPair } from "../../test/support/memory-stream.ts";
import { ConnectionPool } from "./connection-pool.ts";

test("connection pool", async ({ bench }) => {
  const limits = { claimTimeoutMs: 5000, maxClaims: 1024 };
  const [stream] = memoryPair();
  const entry = new ConnectionPool({ role: "entry", ...limits });
  for (let i = 0; i < 64; i++) entry.add(stream, `idle${i}`);
  let next = 0;
  await bench("entry: add one, take the oldest of 64", () => {
    entry.add(stream, String(next++));
    entry.take();
  }).run();
  const exit = new ConnectionPool({ role: "exit", ...limits });
  const claim = { id: "00000001", onConnection: () => undefined };
  await bench("exit: add one, claim it by its id", () => {
    exit.add(stream, "00000001");
    exit.claim(claim);
  }).run();
  await bench("exit: claim one that comes later", () => {
    exit.claim(claim);
    exit.add(stream, "00000001");
  }).run();
  entry.close();
  exit.close();
});
