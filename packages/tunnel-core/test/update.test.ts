import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { changeInPlace, openTunnel, type Tunnel, type TunnelOptions } from "@nodepass/tunnel-core";
import { format, parseTunnelUrl } from "@nodepass/url-config";
import { afterEach, expect, test, vi } from "vitest";
import { makeCertificate, openUdpUser, startTarget } from "./peer-114/index.ts";

/** This file's own loopback address: its ports are nobody else's. */
const HOST = "127.31.9.1";
const ended: Array<() => unknown> = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function open(url: string, limits?: TunnelOptions["limits"]): Promise<Tunnel> {
  const tunnel = await openTunnel(url, { limits });
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

test.each(["reverse", "forward"] as const)(
  "max is told to the client and kept to, %s",
  async (flow) => {
    const target = await startTarget();
    ended.push(() => target.close());
    const at = flow === "reverse" ? 6141 : 6145;
    const limits = { reportIntervalMs: 50 };
    const [mode, own, far] =
      flow === "reverse"
        ? [1, `${HOST}:${at + 1}`, `127.0.0.1:${target.port}`]
        : [2, `127.0.0.1:${target.port}`, `${HOST}:${at + 1}`];
    const server = await open(
      `server://k@${HOST}:${at}/${own}?mode=${mode}&noudp=1&max=64`,
      limits,
    );
    const client = await open(`client://k@${HOST}:${at}/${far}?mode=2&noudp=1&min=32`, limits);
    const sizes = (): number[] => [server.counters().pool, client.counters().pool];
    await vi.waitFor(() => expect(sizes()).toEqual([32, 32]));
    const held = await user(at + 1);
    held.write("a");
    expect(String((await once(held, "data"))[0])).toBe("a");
    server.update({ max: 4 });
    await vi.waitFor(() => expect(sizes()).toEqual([4, 4]));
    server.update({ max: 40 });
    await vi.waitFor(() => expect(sizes()).toEqual([32, 32]));
    // Neither session nor user has noticed.
    held.write("b");
    expect(String((await once(held, "data"))[0])).toBe("b");
    expect([server.counters().reconnects, client.counters().reconnects]).toEqual([0, 0]);
  },
);

test("the certificate's files are exchanged for others while the session goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "update-"));
  ended.push(() => rmSync(folder, { recursive: true }));
  const made = await Promise.all(
    ["one", "two"].map(async (name) => {
      const { cert, key, fingerprint } = await makeCertificate();
      const [crt, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
      writeFileSync(crt, cert);
      writeFileSync(keyFile, key);
      return { crt, keyFile, fingerprint };
    }),
  );
  const [one, two] = made;
  if (one === undefined || two === undefined) throw new Error("two certificates are made");
  const limits = { reportIntervalMs: 50 };
  const query = `mode=1&tls=2&noudp=1&crt=${one.crt}&key=${one.keyFile}`;
  const server = await open(`server://k@${HOST}:6151/${HOST}:6152?${query}`, limits);
  const shown = async (): Promise<string> => {
    const socket = connectTls({ host: HOST, port: 6151, rejectUnauthorized: false });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return `sha256:${fingerprint256}`;
  };
  expect(await shown()).toBe(one.fingerprint);
  const after = parseTunnelUrl(format(server.settings).replaceAll("one.", "two."));
  // A pair that does not belong together changes nothing.
  expect(() => server.update({ keyFile: two.keyFile })).toThrow(
    expect.objectContaining({ code: "CERTIFICATE_INVALID" }),
  );
  expect(await shown()).toBe(one.fingerprint);
  expect(changeInPlace(server, after)).toBe(true);
  await vi.waitFor(async () => expect(await shown()).toBe(two.fingerprint), { timeout: 10_000 });
});
