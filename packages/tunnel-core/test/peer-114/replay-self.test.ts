import { afterEach, expect, test, vi } from "vitest";
import {
  answerOnce,
  Peer114Client,
  Peer114Server,
  replayClient,
  replayServer,
  replayUsers,
  startTarget,
} from "./index.ts";

const opened: Array<{ close(): Promise<void> }> = [];
const timings = { reportIntervalMs: 500 };
const free = { host: "127.0.0.1", port: 0 };

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
  await vi.waitFor(
    () => {
      const left = process.getActiveResourcesInfo().filter((name) => /^(TCP|UDP)/.test(name));
      expect(left).toEqual([]);
    },
    { timeout: 10_000 },
  );
});

test.each(["forward", "reverse", "ws-forward", "ws-reverse"] as const)(
  "the %s recording plays against the peer client",
  async (name) => {
    const target = await startTarget({ tcp: answerOnce });
    const played = await replayServer(name);
    const client = Peer114Client.start({
      tunnel: { host: "127.0.0.1", port: played.port },
      key: "secret",
      min: 2,
      target: name.endsWith("forward") ? free : target,
      timings,
    });
    opened.push(target, played, client);
    const result = await played.run({ user: replayUsers(() => client.entryAddress) });
    expect(result.mismatches).toEqual([]);
    expect(result.transcript.length).toBeGreaterThan(15);
    expect(client.violations).toEqual([]);
    expect(client.sessions).toBe(1);
  },
);

test.each(["forward", "reverse", "ws-forward", "ws-reverse"] as const)(
  "the %s recording plays against the peer server",
  async (name) => {
    const target = await startTarget({ tcp: answerOnce });
    const server = await Peer114Server.start({
      flow: name.endsWith("forward") ? "+" : "-",
      key: "secret",
      max: 8,
      type: name.startsWith("ws-") ? 2 : 0,
      target: name.endsWith("forward") ? target : free,
      timings,
    });
    opened.push(target, server);
    const result = await replayClient(name, {
      tunnel: server.tunnelAddress,
      user: replayUsers(() => server.entryAddress),
      stopServer: () => server.close(),
    });
    expect(result.mismatches).toEqual([]);
    expect(result.transcript.length).toBeGreaterThan(15);
    expect(server.violations).toEqual([]);
    expect(server.sessions).toBe(1);
  },
);

test("a replay tells a target that answers something else, and a wrong key", async () => {
  const target = await startTarget();
  const server = await Peer114Server.start({ flow: "+", key: "secret", max: 8, target, timings });
  opened.push(target, server);
  const options = { tunnel: server.tunnelAddress, stepTimeoutMs: 500 };
  const result = await replayClient("forward", { ...options, stopServer: () => server.close() });
  expect(result.mismatches.join()).toMatch(/data on connection 3 did not come/);
  const other = await Peer114Server.start({ flow: "+", key: "other", max: 8, target, timings });
  opened.push(other);
  const refused = await replayClient("forward", {
    tunnel: other.tunnelAddress,
    stepTimeoutMs: 500,
    stopServer: () => other.close(),
  });
  expect(refused.mismatches.length).toBeGreaterThan(0);
});
