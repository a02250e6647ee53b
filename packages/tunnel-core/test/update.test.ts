import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openTunnel, type Tunnel } from "@nodepass/tunnel-core";
import { afterEach, expect, test } from "vitest";
import { openUdpUser, startTarget } from "./peer-114/index.ts";

/** This file's own loopback address: its ports are nobody else's. */
const HOST = "127.31.9.1";
const ended: Array<() => unknown> = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function open(url: string): Promise<Tunnel> {
  const tunnel = await openTunnel(url);
  ended.push(() => tunnel.close({ timeoutMs: 0 }));
  return tunnel;
}

/** Sends without end to whoever connects. */
async function source(port: number): Promise<void> {
  const block = Buffer.alloc(64 * 1024);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const send = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on("drain", send);
    send();
  });
  server.listen(port, HOST);
  await once(server, "listening");
  ended.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

async function user(port: number): Promise<Socket> {
  const socket = connect(port, HOST);
  socket.on("error", () => {});
  ended.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Resolves when it has closed, however. */
function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.resume().once("close", resolve));
}

/** Bytes that come in a while. */
async function during(socket: Socket, ms: number): Promise<number> {
  const before = socket.bytesRead;
  await sleep(ms);
  return socket.bytesRead - before;
}

test("a rate is set, changed and lifted for a connection that is open", async () => {
  await source(6102);
  const tunnel = await open(`client://${HOST}:6101/${HOST}:6102?mode=1&noudp=1`);
  const socket = await user(6101);
  socket.resume();
  expect(await during(socket, 300)).toBeGreaterThan(2_000_000);

  tunnel.update({ rateBytesPerSecond: 1_000_000 });
  // What was under way comes first.
  await during(socket, 500);
  const limited = await during(socket, 1000);
  expect(limited).toBeGreaterThan(300_000);
  expect(limited).toBeLessThan(2_500_000);

  tunnel.update({ rateBytesPerSecond: 100_000 });
  await during(socket, 500);
  expect(await during(socket, 1000)).toBeLessThan(limited / 2);

  tunnel.update({ rateBytesPerSecond: 0 });
  expect(await during(socket, 500)).toBeGreaterThan(2_000_000);
  expect(tunnel.settings.rateBytesPerSecond).toBe(0);
  expect(socket.destroyed).toBe(false);
});

test("targets change for new users; who is connected stays", async () => {
  const [one, two] = await Promise.all([
    startTarget({ tcp: (socket) => socket.end("one") }),
    startTarget({ tcp: (socket) => socket.end("two") }),
  ]);
  ended.push(
    () => one.close(),
    () => two.close(),
  );
  const held = await startTarget();
  ended.push(() => held.close());
  const server = await open(`server://k@${HOST}:6111/${HOST}:6112?mode=1&noudp=1`);
  const client = await open(`client://k@${HOST}:6111/127.0.0.1:${held.port}?mode=2`);
  await client.ready();
  const stays = await user(6112);
  stays.write("before");
  expect(String((await once(stays, "data"))[0])).toBe("before");
  const answer = async (): Promise<string> => String((await once(await user(6112), "data"))[0]);
  client.update({ targets: [{ host: "127.0.0.1", port: one.port }] });
  expect(await answer()).toBe("one");
  client.update({ targets: [{ host: "127.0.0.1", port: two.port }] });
  expect(await answer()).toBe("two");
  stays.write("after");
  expect(String((await once(stays, "data"))[0])).toBe("after");
  expect(() => server.update({ targets: client.settings.targets })).toThrow(
    expect.objectContaining({ code: "INVALID_OPTIONS" }),
  );
});

test("slot, block and read count from now on", async () => {
  const target = await startTarget();
  ended.push(() => target.close());
  const tunnel = await open(`client://${HOST}:6121/127.0.0.1:${target.port}?mode=1`);
  const first = await user(6121);
  first.write("x");
  await once(first, "data");
  tunnel.update({ slot: 1 });
  // Reset at once: before or after it knows that it is connected.
  const second = connect(6121, HOST).on("error", () => {});
  ended.push(() => second.destroy());
  await closed(second);
  tunnel.update({ slot: 0, block: { socks: false, http: true, tls: false } });
  const third = await user(6121);
  third.write("GET / HTTP/1.1\r\n\r\n");
  await closed(third);
  tunnel.update({ readTimeoutMs: 100 });
  await closed(first);
});

test("a UDP session that is open gets the new rate, and loses nothing when it is lifted", async () => {
  const target = await startTarget();
  ended.push(() => target.close());
  const tunnel = await open(`client://${HOST}:6131/127.0.0.1:${target.port}?mode=1`);
  const udp = await openUdpUser({ host: HOST, port: 6131 });
  ended.push(() => udp.close());
  expect(String(await udp.exchange(Buffer.from("a")))).toBe("re:a");
  tunnel.update({ rateBytesPerSecond: 10_000 });
  expect(String(await udp.exchange(Buffer.from("b")))).toBe("re:b");
  tunnel.update({ rateBytesPerSecond: 0 });
  expect(String(await udp.exchange(Buffer.from("c")))).toBe("re:c");
  expect(tunnel.counters().udpDropped).toBe(0);
});
