import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { LatencySnapshot, Tunnel, TunnelLatencies } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OwnTunnels } from "./support/own-tunnels.ts";
import { eventually } from "./support/tunnel-pair.ts";

const HOST = "127.31.7.9";
const own = new OwnTunnels(HOST);
let at = "";
const servers: Server[] = [];

beforeEach(async () => {
  at = await own.start();
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await own.stop();
});

const countOf = ({ counts }: LatencySnapshot) => counts.reduce((sum, count) => sum + count, 0);

function counts(tunnel: Tunnel): { readonly [Name in keyof TunnelLatencies]: number } {
  const { dial, handshake, poolDial, poolWait, firstByte } = tunnel.latencies();
  return {
    dial: countOf(dial),
    handshake: countOf(handshake),
    poolDial: countOf(poolDial),
    poolWait: countOf(poolWait),
    firstByte: countOf(firstByte),
  };
}

/** Speaks first, after `waitMs`, and closes. */
async function startSlow(waitMs: number): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    setTimeout(() => socket.end("late"), waitMs);
  }).listen(0, HOST);
  servers.push(server);
  await once(server, "listening");
  return `${HOST}:${(server.address() as AddressInfo).port}`;
}

/** Until he is closed, however. */
async function gone(user: Socket): Promise<void> {
  while (!user.closed) await once(user, "close").catch(() => {});
}

async function visit(port: number): Promise<void> {
  const user = connect({ host: HOST, port });
  user.write("hello");
  const [answer] = (await once(user, "data")) as [Buffer];
  expect(answer.length).toBeGreaterThan(0);
  user.destroy();
}

test("each end measures its own part of every user", async () => {
  const server = await own.open(`server://k@${HOST}:0/${HOST}:0?mode=1`);
  const port = server.tunnelAddress?.port;
  const client = await own.open(`client://k@${HOST}:${port}/${at}?mode=2&min=4`);
  await client.ready();
  await eventually(() => expect(server.hasPeer).toBe(true));
  for (let user = 0; user < 5; user++) await visit(server.entryAddress?.port ?? 0);
  expect(counts(server)).toEqual({
    ...{ dial: 0, handshake: 1, poolDial: 0, poolWait: 5, firstByte: 5 },
  });
  await eventually(() => expect(counts(client).poolDial).toBeGreaterThanOrEqual(4));
  expect(counts(client)).toMatchObject({ dial: 5, handshake: 1, poolWait: 0, firstByte: 5 });
});

test("the first byte is measured from the user's connection on, once", async () => {
  const slow = await startSlow(150);
  const end = await own.open(`client://${HOST}:0/${slow}?mode=1`);
  const user = connect({ host: HOST, port: end.entryAddress?.port ?? 0 });
  for await (const _ of user) {
    // Until it ends.
  }
  const { firstByte, dial, poolWait } = end.latencies();
  expect(countOf(firstByte)).toBe(1);
  // Timers of the two ends may differ by a millisecond.
  expect(firstByte.sumMs).toBeGreaterThan(145);
  expect([countOf(dial), countOf(poolWait)]).toEqual([1, 0]);
  expect(dial.sumMs).toBeLessThan(firstByte.sumMs);
});

test("who waits for the pool is measured when he is served, who is refused is not", async () => {
  const limits = { poolGetTimeoutMs: 20_000 };
  const server = await own.open(`server://k@${HOST}:0/${HOST}:0?mode=1`, { limits });
  const waiting = visit(server.entryAddress?.port ?? 0);
  await sleep(60);
  await own.open(`client://k@${HOST}:${server.tunnelAddress?.port}/${at}?mode=2`);
  await waiting;
  const { poolWait } = server.latencies();
  expect(countOf(poolWait)).toBe(1);
  expect(poolWait.sumMs).toBeGreaterThan(55);

  const alone = await own.open(`server://k@${HOST}:0/${HOST}:0?mode=1`);
  await gone(own.knock(alone));
  expect(alone.counters().refusedPeer).toBe(1);
  expect(counts(alone).poolWait).toBe(0);
});

test("a dial that fails, and the probe of a forwarder, are not in the dials", async () => {
  const dead = await own.open(`client://${HOST}:0/${HOST}:1?mode=1`, {
    limits: { reportIntervalMs: 100 },
  });
  await gone(own.knock(dead));
  expect(dead.counters().failed).toBe(1);
  const alive = await own.open(`client://${HOST}:0/${at}?mode=1`, {
    limits: { reportIntervalMs: 100 },
  });
  await eventually(() => expect(alive.counters().ping).toBeGreaterThan(0));
  expect([counts(dead).dial, counts(alive).dial]).toEqual([0, 0]);
});
