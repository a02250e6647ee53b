import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Tunnel } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OwnTunnels } from "./support/own-tunnels.ts";
import { eventually } from "./support/tunnel-pair.ts";

/** This file's own loopback address; nobody listens at its port 1. */
const HOST = "127.31.7.3";
const own = new OwnTunnels(HOST);
const open = (url: string): Promise<Tunnel> => own.open(url);
const knock = (tunnel: Tunnel): Socket => own.knock(tunnel);
let at = "";

beforeEach(async () => {
  at = await own.start();
});
afterEach(() => own.stop());

/** Until he is closed, however. */
async function gone(user: Socket): Promise<void> {
  while (!user.closed) await once(user, "close").catch(() => {});
}

async function visit(tunnel: Tunnel): Promise<void> {
  const user = knock(tunnel);
  user.end("hello");
  let heard = "";
  for await (const chunk of user) heard += String(chunk);
  expect(heard).toBe("hello");
}

/** What has been counted of connections that fared ill, and how many there were. */
function counted(tunnel: Tunnel) {
  const { accepted, failed, refusedSlot, refusedBlocked, refusedPeer } = tunnel.counters();
  return { accepted, failed, refusedSlot, refusedBlocked, refusedPeer };
}

const NONE = { accepted: 0, failed: 0, refusedSlot: 0, refusedBlocked: 0, refusedPeer: 0 };

async function pair(serverQuery: string, target = at): Promise<[Tunnel, Tunnel]> {
  const server = await open(`server://k@${HOST}:0/${HOST}:0?mode=1&${serverQuery}`);
  const client = await open(`client://k@${HOST}:${server.tunnelAddress?.port}/${target}?mode=2`);
  await client.ready();
  return [server, client];
}

test("users are counted where they are taken, and nothing else while all goes well", async () => {
  const [server, client] = await pair("");
  for (let user = 0; user < 3; user++) await visit(server);
  expect(counted(server)).toEqual({ ...NONE, accepted: 3 });
  expect(counted(client)).toEqual(NONE);
  for (const end of [server, client]) {
    expect(end.counters()).toMatchObject({ dialErrors: 0, handshakesRefused: 0, reconnects: 0 });
  }
});

test("a dead target is a dial error and a failed connection at the exit, which dials", async () => {
  const [server, client] = await pair("", `${HOST}:1`);
  await gone(knock(server));
  await eventually(() => expect(counted(client)).toEqual({ ...NONE, failed: 1 }));
  expect(counted(server)).toEqual({ ...NONE, accepted: 1 });
  expect(client.counters().dialErrors).toBeGreaterThanOrEqual(1);
  expect(server.counters().dialErrors).toBe(0);
});

test("each refusal has its counter: slot, blocked, peer", async () => {
  const full = await open(`client://${HOST}:0/${at}?mode=1&slot=1`);
  knock(full);
  await eventually(() => expect(full.counters().tcps).toBe(1));
  await gone(knock(full));
  expect(counted(full)).toEqual({ ...NONE, accepted: 2, refusedSlot: 1 });

  const blocking = await open(`client://${HOST}:0/${at}?mode=1&block=2`);
  const asking = knock(blocking);
  asking.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await gone(asking);
  expect(counted(blocking)).toEqual({ ...NONE, accepted: 1, refusedBlocked: 1 });

  const alone = await open(`server://k@${HOST}:0/${HOST}:0?mode=1`);
  await gone(knock(alone));
  expect(counted(alone)).toEqual({ ...NONE, accepted: 1, refusedPeer: 1 });
});

test("a slot that is taken at the exit is counted there, not at the entry", async () => {
  const server = await open(`server://k@${HOST}:0/${HOST}:0?mode=1`);
  const exit = `client://k@${HOST}:${server.tunnelAddress?.port}/${at}?mode=2&slot=1`;
  const client = await open(exit);
  await client.ready();
  knock(server);
  await eventually(() => expect(client.counters().tcps).toBe(1));
  await gone(knock(server));
  expect(counted(client)).toEqual({ ...NONE, refusedSlot: 1 });
  expect(counted(server)).toEqual({ ...NONE, accepted: 2 });
});

test("a UDP target that refuses is a dial error, and what was sent to it is dropped", async () => {
  const single = await open(`client://${HOST}:0/${HOST}:1?mode=1`);
  const user = createSocket("udp4");
  try {
    user.on("error", () => {});
    user.send("anybody?", single.entryAddress?.port ?? 0, HOST);
    await eventually(() => expect(single.counters().dialErrors).toBeGreaterThanOrEqual(1));
    await eventually(() => expect(single.counters().udpDropped).toBeGreaterThanOrEqual(1));
    expect(counted(single)).toEqual(NONE);
  } finally {
    user.close();
  }
});

test("a client with another key is a refused handshake at the server", async () => {
  const server = await open(`server://k@${HOST}:0/${HOST}:0?mode=1`);
  const port = server.tunnelAddress?.port;
  await open(`client://other@${HOST}:${port}/${at}?mode=2`);
  await eventually(() => expect(server.counters().handshakesRefused).toBeGreaterThanOrEqual(1));
  expect(server.hasPeer).toBe(false);
});

test("says when it has its peer, and counts the sessions after the first", async () => {
  const server = await open(`server://k@${HOST}:0/${HOST}:0?mode=1`);
  const said: boolean[] = [];
  server.on("peer", (connected) => said.push(connected));
  expect([server.state, server.hasPeer]).toEqual(["running", false]);
  const url = `client://k@${HOST}:${server.tunnelAddress?.port}/${at}?mode=2`;
  const first = await open(url);
  await first.ready();
  await eventually(() => expect([server.hasPeer, first.hasPeer]).toEqual([true, true]));
  expect(server.counters().reconnects).toBe(0);
  await first.close({ timeoutMs: 0 });
  await eventually(() => expect(server.hasPeer).toBe(false));
  expect(first.hasPeer).toBe(false);
  const second = await open(url);
  await second.ready();
  await eventually(() => expect(server.hasPeer).toBe(true));
  expect(server.counters().reconnects).toBe(1);
  expect(second.counters().reconnects).toBe(0);
  expect(said).toEqual([true, false, true]);
});

test("received is what came from the user and from the target, sent what went to them", async () => {
  const target = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("nine char"));
  }).listen(0, HOST);
  await once(target, "listening");
  const [server, client] = await pair("", `${HOST}:${(target.address() as AddressInfo).port}`);
  const user = knock(server);
  user.write("five.");
  user.resume();
  await gone(user);
  await eventually(() => expect(server.counters()).toMatchObject({ tcprx: 5, tcptx: 9, tcps: 0 }));
  await eventually(() => expect(client.counters()).toMatchObject({ tcprx: 9, tcptx: 5, tcps: 0 }));
  target.close();
});

test("a single end has no peer", async () => {
  const single = await open(`client://${HOST}:0/${at}?mode=1`);
  await visit(single);
  expect(single.hasPeer).toBe(false);
});
