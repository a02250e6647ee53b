import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { WaitingDatagrams } from "../src/udp/waiting-datagrams.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { startScriptedTarget } from "./support/scripted-target.ts";
import { entryOf, eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";

const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await expectNoSockets();
});

test("datagrams that wait for a client share a bound of 16 MiB, and the rest is counted", async () => {
  const server = await openEnd("server://secret@127.0.0.1:0/127.0.0.1:0?mode=1", [], {
    limits: { poolGetTimeoutMs: 60_000, udpReadTimeoutMs: 60_000 },
  });
  open.push({ close: () => server.close({ timeoutMs: 0 }) });
  const { host, port } = entryOf(server);
  const users: Socket[] = [];
  const datagram = Buffer.alloc(60_000, 1);
  for (let count = 0; count < 12; count++) {
    const user = createSocket("udp4");
    user.bind(0, "127.0.0.1");
    await once(user, "listening");
    users.push(user);
    open.push({ close: async () => void user.close() });
  }
  // 12 users who would keep 4 MiB each; paced, as the system drops what it has no room for.
  for (let sent = 0; sent < 2000 && server.counters().udpDropped < 20; sent++) {
    users[sent % users.length]?.send(datagram, port, host);
    await setImmediate();
  }
  expect(server.counters().udpDropped).toBeGreaterThanOrEqual(20);
  const { udprx, udpDropped } = server.counters();
  const kept = udprx / datagram.length - udpDropped;
  expect(kept * datagram.length).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect(kept * datagram.length).toBeGreaterThan(15 * 1024 * 1024);
  // What was kept is delivered once there is a client.
  const target = await startScriptedTarget();
  open.push(target);
  let arrived = 0;
  target.onUdp = () => {
    arrived++;
  };
  const url = `client://secret@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2`;
  const client = await openEnd(url);
  open.push({ close: () => client.close({ timeoutMs: 0 }) });
  await eventually(() => expect(arrived).toBeGreaterThan(0));
});

test("the bound gives back what leaves, and counts small datagrams for what they cost", () => {
  const waiting = new WaitingDatagrams(1024);
  expect(waiting.enter(100)).toBe(true);
  expect(waiting.enter(100)).toBe(true);
  expect(waiting.enter(1)).toBe(true);
  expect(waiting.enter(1)).toBe(false);
  for (const length of [100, 100, 1]) waiting.leave(length);
  expect(waiting.bytes).toBe(0);
});
