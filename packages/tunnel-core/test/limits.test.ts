import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs, type Tunnel } from "@nodepass/tunnel-core";
import { parseTunnelUrl } from "@nodepass/url-config";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { changeInPlace } from "../src/tunnels/update-settings.ts";
import { documentedUrls } from "./support/documented.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import {
  echoTcp,
  echoUdp,
  type ScriptedTarget,
  startScriptedTarget,
} from "./support/scripted-target.ts";
import {
  entryOf,
  eventually,
  type Flow,
  openEnd,
  openPair,
  tunnelPort,
} from "./support/tunnel-pair.ts";
import { dial, echoRandom, endUsers, openUdpPeer, refusalOf } from "./support/users.ts";

const BYTES_PER_MBIT = 125_000;

let target: ScriptedTarget;
const closing: { close(options?: { timeoutMs: number }): Promise<void> }[] = [];

beforeEach(async () => {
  target = await startScriptedTarget();
  target.onTcp = echoTcp;
  target.onUdp = echoUdp;
});

afterEach(async () => {
  endUsers();
  for (const one of closing.splice(0).reverse()) await one.close({ timeoutMs: 0 });
  await target.close();
  await expectNoSockets();
});

async function pairWith(flow: Flow, end: "entry" | "exit", query: string) {
  const atServer = (flow === "reverse") === (end === "entry");
  const pair = await openPair({
    flow,
    target: target.at,
    ...(flow !== "single" && atServer ? { serverQuery: query } : { clientQuery: query }),
    limits: { reportIntervalMs: 60_000 },
  });
  closing.push(pair);
  return pair;
}

/** Writes to the socket for ever. */
function flood(socket: Socket): void {
  const block = Buffer.alloc(64 * 1024, 7);
  const write = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on("error", () => {});
  socket.on("drain", write);
  write();
}

/** Bytes that arrive at each socket in a while that is the same for all, and how long it was, ms. */
async function arrivals(sockets: readonly Socket[], ms: number): Promise<[number[], number]> {
  const counts = sockets.map(() => 0);
  for (const [index, socket] of sockets.entries()) {
    socket.on("data", (chunk: Buffer) => {
      counts[index] = (counts[index] ?? 0) + chunk.length;
    });
    socket.resume();
  }
  const startedAt = performance.now();
  await sleep(ms);
  return [counts, performance.now() - startedAt];
}

describe.each([
  ["reverse", "entry"],
  ["reverse", "exit"],
  ["forward", "exit"],
  ["single", "entry"],
] as const)("%s, at the %s", (flow, end) => {
  test("up is from users to targets, down the other way", async () => {
    const pair = await pairWith(flow, end, "rate=4/40");
    const served = new Promise<Socket>((resolve) => {
      target.onTcp = (socket) => {
        resolve(socket);
        flood(socket);
      };
    });
    const user = await dial(pair.entry);
    flood(user);
    const [[up = 0, down = 0], ms] = await arrivals([await served, user], 1500);
    // As much as the rate and what is saved up lets through, whatever the machine does.
    expect(up).toBeLessThan(4 * BYTES_PER_MBIT * (ms / 1000) * 1.1 + 200_000);
    expect(down).toBeLessThan(40 * BYTES_PER_MBIT * (ms / 1000) * 1.1 + 2_000_000);
    expect(down / up).toBeGreaterThan(3);
  });

  test("each connection has a limit of its own", async () => {
    const pair = await pairWith(flow, end, "rateconn=8");
    target.onTcp = flood;
    const users = await Promise.all(Array.from({ length: 4 }, () => dial(pair.entry)));
    const [counts, ms] = await arrivals(users, 1500);
    for (const count of counts) {
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThan(8 * BYTES_PER_MBIT * (ms / 1000) * 1.1 + 500_000);
    }
    // A limit for all of them would let through a quarter of it.
    const all = counts.reduce((sum, count) => sum + count, 0);
    expect(all).toBeGreaterThan(8 * BYTES_PER_MBIT * (ms / 1000) * 1.3 + 500_000);
  });

  test("what a limited connection carries is whole, with its end", async () => {
    const pair = await pairWith(flow, end, "rateconn=200&rate=400");
    const results = await Promise.all(
      Array.from({ length: 4 }, () => echoRandom(pair.entry, 1_500_000)),
    );
    for (const [sent, received] of results) expect(received).toBe(sent);
    await eventually(() => expect(pair.entryEnd.counters().tcps).toBe(0));
  });

  test("datagrams of a session have its limit, too", async () => {
    const pair = await pairWith(flow, end, "rateconn=1&notcp=1");
    const user = await openUdpPeer(pair.entry);
    user.send(Buffer.alloc(1000, 1));
    await eventually(() => expect(user.received).toHaveLength(1));
    const startedAt = performance.now();
    for (let sent = 0; sent < 200; sent++) user.send(Buffer.alloc(1000, 2));
    await eventually(() => expect(user.received.length).toBeGreaterThan(150));
    // 150 kB at 125 kB/s, less what was saved up.
    expect(performance.now() - startedAt).toBeGreaterThan(500);
    user.close();
  });

  test("an address has so many slots", async () => {
    const pair = await pairWith(flow, end, "slotip=2");
    const limited = end === "entry" ? pair.entryEnd : pair.exitEnd;
    const firsts = [await dial(pair.entry, "127.0.0.50"), await dial(pair.entry, "127.0.0.50")];
    for (const first of firsts) {
      first.write("a");
      await once(first, "data");
    }
    await refusalOf(pair.entry, "127.0.0.50");
    await eventually(() => expect(limited.counters().refusedSlotip).toBe(1));
    const other = await dial(pair.entry, "127.0.0.51");
    other.write("a");
    await once(other, "data");
    firsts[0]?.end();
    await eventually(() => expect(limited.counters().tcps).toBe(2));
    const again = await dial(pair.entry, "127.0.0.50");
    again.write("a");
    await once(again, "data");
  });

  test("serves until a moment, and nobody who comes after it", async () => {
    const pair = await pairWith(flow, end, "");
    const limited = end === "entry" ? pair.entryEnd : pair.exitEnd;
    limited.serveUntil(monotonicMs() + 60_000);
    const user = await dial(pair.entry);
    user.write("a");
    await once(user, "data");
    const peer = await openUdpPeer(pair.entry);
    await eventually(() => {
      peer.send(Buffer.from("u"));
      expect(peer.received.length).toBeGreaterThan(0);
    });

    limited.serveUntil(monotonicMs());
    const dialled = target.connections;
    await refusalOf(pair.entry);
    const late = await openUdpPeer(pair.entry);
    late.send(Buffer.from("late"));
    // What is open is for who owns the tunnel to cut.
    user.write("b");
    await once(user, "data");
    await eventually(() => {
      const texts = pair.logs.map(({ message }) => message);
      expect(texts).toContain("connection refused: the time in which this end may serve is over");
    });
    expect([target.connections, late.received.length]).toEqual([dialled, 0]);
    limited.serveUntil(undefined);
    const again = await dial(pair.entry);
    again.write("c");
    await once(again, "data");
  });

  test("limits change while it runs", async () => {
    const pair = await pairWith(flow, end, "noudp=1");
    const limited = end === "entry" ? pair.entryEnd : pair.exitEnd;
    const staying = await dial(pair.entry, "127.0.0.50");
    staying.write("a");
    await once(staying, "data");
    const settings = {
      ...limited.settings,
      key: "secret",
      ...parseRates("rate=1/2&rateconn=3&slotip=1&udpidle=9s"),
    };
    expect(changeInPlace(limited, settings)).toBe(true);
    expect(limited.settings).toMatchObject({
      rateBytesPerSecond: BYTES_PER_MBIT,
      rateDownBytesPerSecond: 2 * BYTES_PER_MBIT,
      slotPerAddress: 1,
      udpIdleMs: 9000,
    });
    const counted = await dial(pair.entry, "127.0.0.50");
    counted.write("a");
    await once(counted, "data");
    await refusalOf(pair.entry, "127.0.0.50");
    limited.update({ rateBytesPerSecond: 0, slotPerAddress: 0 });
    expect(limited.settings.rateDownBytesPerSecond).toBeUndefined();
    const [sent, received] = await echoRandom(pair.entry, 100_000);
    expect(received).toBe(sent);
    staying.write("b");
    await once(staying, "data");
  });
});

/** What a query says of limits. */
function parseRates(query: string) {
  const parsed = parseTunnelUrl(`client://h:1/t:2?${query}`);
  const { rateBytesPerSecond, rateDownBytesPerSecond, connectionRates } = parsed;
  const { slotPerAddress, udpIdleMs } = parsed;
  return {
    ...{ rateBytesPerSecond, rateDownBytesPerSecond, connectionRates },
    ...{ slotPerAddress, udpIdleMs },
  };
}

async function openDocumented(section: string): Promise<Tunnel> {
  const [url = ""] = documentedUrls(section, {
    ":10101": "127.0.0.1:0",
    "/:8080": "/127.0.0.1:0",
    "/:5353": "/127.0.0.1:0",
  });
  const server = await openEnd(url);
  closing.push(server);
  const client = await openEnd(
    `client://KEY@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2&min=2`,
  );
  closing.push(client);
  await client.ready();
  return server;
}

test("docs/many-to-many.md tells limits", async () => {
  const server = await openDocumented("Limits");
  const users: Socket[] = [];
  for (let user = 0; user < 16; user++) {
    const socket = await dial(entryOf(server));
    socket.write("a");
    await once(socket, "data");
    users.push(socket);
  }
  await refusalOf(entryOf(server));
  expect(server.counters().refusedSlotip).toBe(1);
  expect(users).toHaveLength(16);
});

test("docs/many-to-many.md tells when UDP sessions end", async () => {
  const server = await openDocumented("UDP sessions");
  const user = await openUdpPeer(entryOf(server));
  user.send(Buffer.from("a"));
  await eventually(() => expect(user.received).toHaveLength(1));
  expect(server.counters().udps).toBe(1);
  const startedAt = performance.now();
  // NP_UDP_READ_TIMEOUT is 30 s.
  await eventually(() => expect(server.counters().udps).toBe(0));
  expect(performance.now() - startedAt).toBeGreaterThan(1000);
  server.update({ udpIdleMs: 100 });
  user.send(Buffer.from("b"));
  await eventually(() => expect(user.received).toHaveLength(2));
  await eventually(() => expect(server.counters().udps).toBe(0));
  user.close();
});
