import { Socket } from "node:net";
import { test } from "vitest";
import type { Stream } from "../stream/stream-reader.ts";
import { ConnectionPool } from "./connection-pool.ts";

test("connection pool", async ({ bench }) => {
  const limits = { claimTimeoutMs: 5000, maxClaims: 1024 };
  // A socket that is connected to nothing: the pool only holds it.
  const stream = Object.assign(new Socket(), { raw: undefined }) as unknown as Stream;
  stream.raw = stream;
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
