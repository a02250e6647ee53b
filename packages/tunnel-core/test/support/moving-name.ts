// Moves a name in /etc/hosts, which is this process's own; prints who reaches it before and after.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openTunnel } from "../../src/index.ts";

const PORT = 7000;
const TUNNEL = 7100;

async function serve(host: string) {
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  tcp.listen(PORT, host);
  const udp = createSocket("udp4");
  udp.on("message", (datagram, { port, address }) => udp.send(datagram, port, address));
  udp.bind(PORT, host);
  await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
  const server = await openTunnel(`server://secret@${host}:${TUNNEL}/127.0.0.1:0?mode=1`);
  return {
    server,
    async close() {
      tcp.close();
      udp.close();
      for (const socket of sockets) socket.destroy();
      await server.close({ timeoutMs: 0 });
    },
  };
}

/** Whether an echo comes back, tried for some seconds. */
async function tcpReaches(port: number): Promise<boolean> {
  for (let tried = 0; tried < 50; tried++) {
    const socket = connect(port, "127.0.0.1");
    const got = new Promise<boolean>((resolve) => {
      socket.on("error", () => resolve(false));
      socket.on("close", () => resolve(false));
      socket.once("data", () => resolve(true));
    });
    socket.write("x");
    const ok = await Promise.race([got, sleep(3000, false)]);
    socket.destroy();
    if (ok) return true;
    await sleep(100);
  }
  return false;
}

const user = createSocket("udp4");
user.bind(0, "127.0.0.1");
await once(user, "listening");

async function udpReaches(port: number): Promise<boolean> {
  const answer = once(user, "message").then(() => true);
  for (let tried = 0; tried < 50; tried++) {
    user.send("x", port, "127.0.0.1");
    if (await Promise.race([answer, sleep(100, false)])) return true;
  }
  return false;
}

const first = await serve("127.0.6.1");
const single = await openTunnel(`client://127.0.0.1:0/moving.test:${PORT}?mode=1`);
const client = await openTunnel(
  `client://secret@moving.test:${TUNNEL}/moving.test:${PORT}?mode=2&min=2`,
);
await client.ready();
const port = single.entryAddress?.port ?? 0;
const before = {
  tcp: await tcpReaches(port),
  udp: await udpReaches(port),
  tunnel: await tcpReaches(first.server.entryAddress?.port ?? 0),
};
await first.close();
writeFileSync("/etc/hosts", "127.0.0.1 localhost\n127.0.6.2 moving.test\n");
const second = await serve("127.0.6.2");
const after = {
  tcp: await tcpReaches(port),
  udp: await udpReaches(port),
  tunnel: await tcpReaches(second.server.entryAddress?.port ?? 0),
};
await client.close({ timeoutMs: 0 });
await single.close({ timeoutMs: 0 });
await second.close();
user.close();
process.stdout.write(JSON.stringify({ before, after }));
