import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { openTunnel, type Tunnel, TunnelPorts } from "@nodepass/tunnel-core";
import { afterEach, expect, test, vi } from "vitest";

const carriers = { 1: new URL("../src/index.ts", import.meta.url).href };
/** An address of this process alone. */
const HOST = `127.${64 + ((process.pid >> 8) & 0x3f)}.${process.pid & 0xff}.5`;
const PORT = 10_101;

const ends: Tunnel[] = [];
const targets: Server[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
  for (const target of targets.splice(0)) target.close();
});

/** A target that says its name. */
async function serve(name: string): Promise<string> {
  const server = createServer((socket) => socket.on("error", () => undefined).end(name));
  server.listen(0, HOST);
  await once(server, "listening");
  targets.push(server);
  return `${HOST}:${(server.address() as AddressInfo).port}`;
}

async function visit(end: Tunnel): Promise<string> {
  const socket = connect(end.entryAddress?.port ?? 0, HOST);
  let text = "";
  socket.on("data", (bytes) => {
    text += String(bytes);
  });
  socket.on("error", () => undefined);
  await once(socket, "close");
  return text;
}

test("tunnels on one port over QUIC: each client finds its own", { timeout: 30_000 }, async () => {
  const ports = new TunnelPorts();
  const servers: Tunnel[] = [];
  for (const name of ["one", "other"]) {
    const url = `server://${name}-key-of-the-port@${HOST}:${PORT}/${HOST}:0?mode=1&type=1&noudp=1`;
    const server = await openTunnel(url, { carriers, ports });
    servers.push(server);
    ends.push(server);
  }
  for (const name of ["one", "other"]) {
    const at = `${name}-key-of-the-port@${HOST}:${PORT}/${await serve(name)}`;
    const client = await openTunnel(`client://${at}?mode=2&min=2`, { carriers });
    ends.push(client);
    await client.ready();
  }
  await vi.waitFor(
    () => {
      for (const server of servers) expect(server.counters().pool).toBeGreaterThan(0);
    },
    { timeout: 20_000, interval: 10 },
  );
  expect(await Promise.all(servers.map(visit))).toEqual(["one", "other"]);
});
