import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { NameCache } from "@nodepass/tunnel-core";
import { afterEach, expect, test } from "vitest";
import { tcping } from "./tcping.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(host: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, host);
  await once(server, "listening");
  servers.push(server);
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const { signal } = new AbortController();

test("a name that moved is looked up again after it failed", async () => {
  const port = await listen("127.0.7.1");
  let address = "127.0.7.1";
  let now = 0;
  let asked = 0;
  const names = new NameCache({
    ttlMs: 300_000,
    now: () => now,
    lookup: () => {
      asked++;
      return Promise.resolve([{ address, family: 4 }]);
    },
  });
  const ping = () => tcping(names, "moving.test", port, signal);
  expect(await ping()).toMatchObject({ connected: true, error: null });
  expect(await ping()).toMatchObject({ connected: true });
  expect(asked).toBe(1);
  servers.pop()?.close();
  await listen("127.0.7.2", port);
  address = "127.0.7.2";
  now = 1000;
  expect(await ping()).toEqual({ connected: false, latencyMs: 0, error: "connection refused" });
  expect(await ping()).toMatchObject({ connected: true, error: null });
  expect(asked).toBe(2);
});

test("the next address of a name is tried", async () => {
  const port = await listen("127.0.7.2");
  const names = new NameCache({
    ttlMs: 1000,
    lookup: () =>
      Promise.resolve([
        { address: "127.0.7.1", family: 4 },
        { address: "127.0.7.2", family: 4 },
      ]),
  });
  expect(await tcping(names, "dual.test", port, signal)).toMatchObject({ connected: true });
});

test("a name that does not resolve, and an attempt that is ended, are outcomes", async () => {
  const failing = new NameCache({
    ttlMs: 1000,
    lookup: () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })),
  });
  expect((await tcping(failing, "no.test", 1, signal)).error).toBe("no such host");
  const silent = new NameCache({ ttlMs: 1000, lookup: () => new Promise(() => {}) });
  const ended = AbortSignal.timeout(20);
  expect((await tcping(silent, "slow.test", 1, ended)).error).toBe("connection timed out");
  expect((await tcping(silent, "slow.test", 1, AbortSignal.abort())).error).toBe("aborted");
});
