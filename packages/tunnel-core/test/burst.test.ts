import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import { eventually, openPair, type PairOptions, type TunnelPair } from "./support/tunnel-pair.ts";
import { dial, echo, endUsers, openUdpPeer, readExactly } from "./support/users.ts";

let target: ScriptedTarget;
let pair: TunnelPair | undefined;

beforeEach(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  await pair?.close();
  await target.close();
  await expectNoSockets();
});

async function pairWith(options: Partial<PairOptions>): Promise<TunnelPair> {
  pair = await openPair({
    flow: "reverse",
    target: target.at,
    ...options,
    limits: { reportIntervalMs: 60_000, ...options.limits },
  });
  return pair;
}

describe.each([
  { flow: "reverse", tls: 0 },
  { flow: "forward", tls: 0 },
  { flow: "reverse", tls: 1 },
  { flow: "forward", tls: 1 },
  { flow: "single", tls: 0 },
] as const)("flow $flow, tls $tls", (options) => {
  test("serves 500 new connections at once, none lost, without waiting for a timer", async () => {
    const { entry } = await pairWith({
      ...options,
      // A refill that waits for one of these would not be done in this test's time.
      limits: {
        minPoolIntervalMs: 100_000,
        maxPoolIntervalMs: 100_000,
        // 500 TLS handshakes take their time on a busy machine.
        poolGetTimeoutMs: 60_000,
      },
    });
    const payload = Buffer.from("0123456789");
    const users = await Promise.all(Array.from({ length: 500 }, () => dial(entry)));
    const answers = await Promise.all(
      users.map((user) => {
        user.write(payload);
        return readExactly(user, payload.length);
      }),
    );
    expect(answers.filter((answer) => !answer.equals(payload))).toEqual([]);
    expect(target.connections).toBe(500);
    for (const user of users) user.destroy();
    await eventually(() => expect(pair?.entryEnd.counters().tcps).toBe(0));
    expect(String(await echo(entry, Buffer.from("and on")))).toBe("and on");
  });

  test("serves 64 users at once, 10 times each", async () => {
    const { entry } = await pairWith(options);
    await Promise.all(
      Array.from({ length: 64 }, async (_, user) => {
        for (let count = 0; count < 10; count++) {
          const payload = Buffer.from(`${user} ${count}`);
          expect((await echo(entry, payload)).equals(payload)).toBe(true);
        }
      }),
    );
  });
});

test("serves 2,000 short connections one after the other", async () => {
  const { entry, entryEnd, logs } = await pairWith({});
  for (let count = 0; count < 2000; count++) {
    expect((await echo(entry, Buffer.from("x"))).length).toBe(1);
  }
  expect(entryEnd.counters()).toMatchObject({ tcprx: 2000, tcptx: 2000 });
  expect(logs.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
});

test.each(["reverse", "forward"] as const)(
  "a burst with the smallest pool is served too (%s)",
  async (flow) => {
    const { entry } = await pairWith({ flow, min: 1, serverQuery: "max=1" });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, user) => echo(entry, Buffer.from(`user ${user}`))),
    );
    expect(answers.map(String)).toEqual(answers.map((_, user) => `user ${user}`));
  },
);

test("200 UDP users and 200 TCP users at once share the pool", async () => {
  const { entry } = await pairWith({});
  const peers = await Promise.all(Array.from({ length: 200 }, () => openUdpPeer(entry)));
  const answers = Promise.all(
    Array.from({ length: 200 }, (_, user) => echo(entry, Buffer.from(`user ${user}`))),
  );
  for (const peer of peers) peer.send(Buffer.from("datagram"));
  expect((await answers).map(String)).toEqual(Array.from({ length: 200 }, (_, u) => `user ${u}`));
  await eventually(() => {
    for (const { received } of peers) expect(received.map(String)).toEqual(["datagram"]);
  });
});

test("a burst of 2,000 datagrams of one user arrives whole and in order", async () => {
  const { entry, exitEnd } = await pairWith({});
  const arrived: string[] = [];
  target.onUdp = (datagram) => arrived.push(String(datagram));
  const peer = await openUdpPeer(entry);
  const due: string[] = [];
  for (let burst = 0; burst < 20; burst++) {
    for (let count = 0; count < 100; count++) {
      due.push(`datagram ${due.length} ${"x".repeat(80)}`);
      peer.send(Buffer.from(due.at(-1) ?? ""));
    }
    await eventually(() => expect(arrived.length).toBe(due.length));
  }
  expect(arrived).toEqual(due);
  expect(exitEnd.counters().udpDropped).toBe(0);
});

test.each([0, 1] as const)("one session outlives many report intervals (tls %i)", async (tls) => {
  const { entry, client, server, logs } = await pairWith({ tls, limits: { reportIntervalMs: 10 } });
  let points = 0;
  client.on("checkpoint", () => points++);
  await eventually(() => expect(points).toBeGreaterThan(50));
  expect(String(await echo(entry, Buffer.from("alive")))).toBe("alive");
  expect([client.state, server?.state]).toEqual(["running", "running"]);
  expect(logs.filter(({ message }) => message === "session ended")).toEqual([]);
  expect(client.counters().ping).toBeGreaterThan(0);
  expect(server?.counters().ping).toBeGreaterThan(0);
});
