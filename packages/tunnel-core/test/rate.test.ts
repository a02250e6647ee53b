import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectNoSockets } from "./support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import { eventually, type Flow, openPair, type TunnelPair } from "./support/tunnel-pair.ts";
import { dial, echo, endUsers, openUdpPeer, readExactly } from "./support/users.ts";

const BYTES_PER_MBIT = 125_000;
/** Measured after the first burst has passed. */
const SETTLE_MS = 300;
const MEASURE_MS = 4000;
/** At low rates a round of all connections takes long: measure over many of them. */
const MEASURE_SLOW_MS = 3000;

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

async function pairWith(flow: Flow, entryQuery: string): Promise<TunnelPair> {
  const atServer = flow === "reverse";
  pair = await openPair({
    flow,
    target: target.at,
    // One end limits: a second limit in the path would hide what the first one does.
    ...(atServer ? { serverQuery: entryQuery } : { clientQuery: entryQuery }),
    limits: { reportIntervalMs: 60_000 },
  });
  return pair;
}

/** Writes to the socket for ever. */
function flood(socket: Socket): void {
  const block = Buffer.alloc(256 * 1024, 7);
  const write = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on("drain", write);
  write();
}

/** Bytes that arrived at each of the sockets, and in how many ms. */
async function measure(
  sockets: readonly Socket[],
  measureMs = MEASURE_MS,
): Promise<{ bytes: number[]; ms: number }> {
  const counts = sockets.map(() => 0);
  sockets.forEach((socket, index) => {
    socket.on("data", (chunk: Buffer) => {
      counts[index] = (counts[index] ?? 0) + chunk.length;
    });
    socket.resume();
  });
  await sleep(SETTLE_MS);
  const before = [...counts];
  const startedAt = performance.now();
  await sleep(measureMs);
  const ms = performance.now() - startedAt;
  return { bytes: counts.map((count, index) => count - (before[index] ?? 0)), ms };
}

/** A stall of the machine at the wrong moment spoils one measurement, not three. */
const MEASURED = { retry: 2 };

function expectRate(bytes: number, ms: number, mbits: number): void {
  const due = mbits * BYTES_PER_MBIT * (ms / 1000);
  expect(bytes / due).toBeGreaterThan(0.95);
  expect(bytes / due).toBeLessThan(1.05);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe.each([
  ["reverse", 10],
  ["forward", 100],
  ["single", 100],
] as const)("%s at %i Mbit/s", (flow, mbits) => {
  test.each(["up", "down"])("8 connections %s share the rate fairly", MEASURED, async (way) => {
    const { entry } = await pairWith(flow, `rate=${mbits}`);
    const served: Socket[] = [];
    target.onTcp = (socket) => {
      served.push(socket);
      if (way === "down") flood(socket);
    };
    const users = await Promise.all(Array.from({ length: 8 }, () => dial(entry)));
    for (const user of users) user.on("error", () => {});
    await eventually(() => expect(served.length).toBe(8));
    if (way === "up") for (const user of users) flood(user);
    const { bytes, ms } = await measure(
      way === "up" ? served : users,
      mbits < 50 ? MEASURE_SLOW_MS : MEASURE_MS,
    );
    expectRate(sum(bytes), ms, mbits);
    expect(Math.max(...bytes) / Math.min(...bytes)).toBeLessThan(1.5);
  });
});

test("both directions have a rate of their own", MEASURED, async () => {
  const { entry } = await pairWith("reverse", "rate=40");
  const served = new Promise<Socket>((resolve) => {
    target.onTcp = (socket) => {
      resolve(socket);
      flood(socket);
    };
  });
  const user = await dial(entry);
  user.on("error", () => {});
  flood(user);
  const { bytes, ms } = await measure([user, await served]);
  expectRate(bytes[0] ?? 0, ms, 40);
  expectRate(bytes[1] ?? 0, ms, 40);
});

test("UDP and TCP share the rate, and neither starves", MEASURED, async () => {
  const { entry, entryEnd } = await pairWith("reverse", "rate=40");
  let udpBytes = 0;
  target.onUdp = (datagram) => {
    udpBytes += datagram.length;
  };
  const served = new Promise<Socket>((resolve) => {
    target.onTcp = resolve;
  });
  const user = await dial(entry);
  user.on("error", () => {});
  flood(user);
  const peer = await openUdpPeer(entry);
  // 16 MB/s, more than three times the rate: what is over waits within bounds, then is dropped.
  const sending = setInterval(() => {
    for (let count = 0; count < 64; count++) peer.send(Buffer.alloc(1250));
  }, 5);
  const socket = await served;
  let udpBefore = 0;
  setTimeout(() => {
    udpBefore = udpBytes;
  }, SETTLE_MS);
  const { bytes, ms } = await measure([socket]);
  clearInterval(sending);
  const udp = udpBytes - udpBefore;
  expectRate((bytes[0] ?? 0) + udp, ms, 40);
  expect(udp / (bytes[0] ?? 1)).toBeGreaterThan(0.4);
  expect(udp / (bytes[0] ?? 1)).toBeLessThan(2.5);
  expect(entryEnd.counters().udpDropped).toBeGreaterThan(0);
});

test("short connections obey it too, however many come at once", async () => {
  const { entry } = await pairWith("reverse", "rate=10");
  let arrived = 0;
  target.onTcp = (socket) => {
    socket.on("data", (chunk: Buffer) => {
      arrived += chunk.length;
    });
    socket.once("end", () => socket.end());
  };
  const startedAt = performance.now();
  const size = 10_000;
  const users = await Promise.all(Array.from({ length: 200 }, () => dial(entry)));
  for (const user of users) user.end(Buffer.alloc(size));
  await eventually(() => expect(arrived).toBe(200 * size));
  const ms = performance.now() - startedAt;
  // The first burst may pass: what an idle bucket has saved up.
  expect((200 * size) / BYTES_PER_MBIT / (ms / 1000)).toBeLessThan(12);
});

test("short UDP sessions obey it too", async () => {
  const { entry } = await pairWith("reverse", "rate=10");
  let arrived = 0;
  target.onUdp = (datagram) => {
    arrived += datagram.length;
  };
  const startedAt = performance.now();
  const size = 10_000;
  const peers = await Promise.all(Array.from({ length: 200 }, () => openUdpPeer(entry)));
  for (const peer of peers) peer.send(Buffer.alloc(size));
  await eventually(() => expect(arrived).toBe(200 * size));
  const ms = performance.now() - startedAt;
  expect((200 * size) / BYTES_PER_MBIT / (ms / 1000)).toBeLessThan(12);
});

test("a transfer of a fixed size ends, at the rate", async () => {
  const { entry } = await pairWith("reverse", "rate=80");
  const bytes = 5_000_000;
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => echo(entry, Buffer.alloc(bytes / 4))),
  );
  const ms = performance.now() - startedAt;
  expect(sum(answers.map(({ length }) => length))).toBe(bytes);
  expect(bytes / BYTES_PER_MBIT / (ms / 1000)).toBeLessThan(100);
});

test("no timer runs for the rate while nothing is limited", async () => {
  const { entry } = await pairWith("reverse", "rate=1000");
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  // Those of the open connection itself (the sweep for idle ones) are there before and after.
  const user = await dial(entry);
  user.write("x");
  await readExactly(user, 1);
  await sleep(100);
  const before = timers();
  for (let count = 0; count < 20; count++) {
    user.write("x");
    await readExactly(user, 1);
  }
  expect(timers()).toBeLessThanOrEqual(before);
});
