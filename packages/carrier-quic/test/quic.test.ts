import { createHash, randomBytes } from "node:crypto";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Lingerer, openTunnel, RelayBuffers, type Tunnel } from "@nodepass/tunnel-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { carrier } from "../src/index.ts";

/** The source, as the program that runs a tunnel hands the installed package over. */
const carriers = { 1: new URL("../src/index.ts", import.meta.url).href };
/** An address of this process alone: QUIC binds UDP on the port that TCP has got. */
const HOST = `127.${64 + ((process.pid >> 8) & 0x3f)}.${process.pid & 0xff}.3`;

function eventually<T>(probe: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(probe, { timeout: 20_000, interval: 10 });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** All that comes until the end. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // Not by iteration, which closes the other direction, too.
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

test("is the carrier of type 1", () => {
  expect(carrier.type).toBe(1);
});

describe.each(["reverse", "forward"] as const)("a tunnel over QUIC, %s", (flow) => {
  let serve: (socket: Socket) => void = () => {};
  const target = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {
      // A user who was cut.
    });
    serve(socket);
  });
  let udp: UdpSocket;
  let server: Tunnel;
  let client: Tunnel;

  const entry = (): { host: string; port: number } => {
    const { entryAddress } = flow === "reverse" ? server : client;
    return { host: HOST, port: entryAddress?.port ?? 0 };
  };
  const dial = async (): Promise<Socket> => {
    const socket = connect({ ...entry(), allowHalfOpen: true });
    await once(socket, "connect");
    return socket;
  };
  const echoed = async (payload: Buffer): Promise<Buffer> => {
    const socket = await dial();
    const answer = readAll(socket);
    socket.end(payload);
    return answer;
  };

  beforeAll(async () => {
    target.listen(0, HOST);
    await once(target, "listening");
    udp = createSocket("udp4");
    udp.bind(portOf(target), HOST);
    await once(udp, "listening");
    udp.on("message", (datagram, from) => udp.send(datagram, from.port, from.address));
    const [users, service] = [`${HOST}:0`, `${HOST}:${portOf(target)}`];
    const at = flow === "reverse" ? [users, service] : [service, users];
    const mode = flow === "reverse" ? 1 : 2;
    server = await openTunnel(`server://secret@${HOST}:0/${at[0]}?mode=${mode}&type=1`, {
      carriers,
    });
    const port = server.tunnelAddress?.port ?? 0;
    client = await openTunnel(`client://secret@${HOST}:${port}/${at[1]}?mode=2&min=4`, {
      carriers,
    });
    await client.ready({ signal: AbortSignal.timeout(20_000) });
    await eventually(() => expect(server.counters().pool).toBeGreaterThan(0));
  });

  afterAll(async () => {
    await client?.close({ timeoutMs: 0 });
    await server?.close({ timeoutMs: 0 });
    target.close();
    udp.close();
    await eventually(() => {
      const open = process.getActiveResourcesInfo().filter((kind) => /^(TCP|UDP)/.test(kind));
      expect(open).toEqual([]);
    });
  });

  test("carries 4 MB both ways, unchanged", async () => {
    serve = (socket) => socket.pipe(socket);
    const payload = randomBytes(4_000_000);
    expect(digest(await echoed(payload))).toBe(digest(payload));
  });

  test("serves 64 connections at once, 200 in all", async () => {
    serve = (socket) => socket.pipe(socket);
    for (const count of [64, 64, 72]) {
      const payloads = Array.from({ length: count }, () => randomBytes(5000));
      const answers = await Promise.all(payloads.map(echoed));
      expect(answers.map(digest)).toEqual(payloads.map(digest));
    }
  });

  test("passes on an end in one direction, then the answer", async () => {
    serve = (socket) => void readAll(socket).then((asked) => socket.end(digest(asked)));
    const question = randomBytes(100_000);
    expect(String(await echoed(question))).toBe(digest(question));
  });

  test("passes on a reset, and no end", async () => {
    const taken = new Promise<Socket>((resolve) => {
      serve = resolve;
    });
    const user = await dial();
    user.write("hello");
    const served = await taken;
    await once(served, "data");
    const failed = once(user, "error");
    let ended = false;
    user.on("end", () => {
      ended = true;
    });
    user.resume();
    served.resetAndDestroy();
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
    expect(ended).toBe(false);
  });

  test("holds a writer back behind a reader that does not read", async () => {
    const taken = new Promise<Socket>((resolve) => {
      serve = resolve;
    });
    const user = await dial();
    user.on("error", () => {
      // It is cut at the end of the test.
    });
    const chunk = Buffer.alloc(1024 * 1024);
    let written = 0;
    const write = (): void => {
      while (written < 512 && user.write(chunk)) written++;
    };
    user.on("drain", write);
    write();
    const served = await taken;
    served.pause();
    let last = -1;
    await eventually(() => {
      const still = written === last;
      last = written;
      if (!still) throw new Error("it still writes");
    });
    expect(written).toBeLessThan(256);
    user.destroy();
    served.destroy();
  });

  test("carries datagrams with their edges", async () => {
    const user = createSocket("udp4");
    const received: number[] = [];
    user.on("message", (datagram) => received.push(datagram.length));
    for (const size of [0, 1, 1200, 9000]) user.send(Buffer.alloc(size), entry().port, HOST);
    await eventually(() => expect(received.length).toBe(4));
    expect(received.sort((a, b) => a - b)).toEqual([0, 1, 1200, 9000]);
    user.close();
  });
});

test("garbage at the UDP port is nothing, and another key gets no stream", async () => {
  const server = await openTunnel(`server://secret@${HOST}:0/${HOST}:0?mode=1&type=1`, {
    carriers,
  });
  const port = server.tunnelAddress?.port ?? 0;
  const stranger = createSocket("udp4");
  for (let size = 0; size < 1500; size += 7) stranger.send(randomBytes(size), port, HOST);
  const other = await openTunnel(`client://other@${HOST}:${port}/${HOST}:9?mode=2`, { carriers });
  await eventually(() => expect(other.state).toBe("error"));
  expect(server.state).toBe("running");
  expect(server.counters().pool).toBe(0);
  stranger.close();
  await other.close({ timeoutMs: 0 });
  await server.close({ timeoutMs: 0 });
});

test("the certificate of the proved answer is the only one that will do", async () => {
  const server = await openTunnel(`server://secret@${HOST}:0/${HOST}:0?mode=1&type=1`, {
    carriers,
  });
  const { port = 0 } = server.tunnelAddress ?? {};
  const dialer = carrier.dial({
    address: HOST,
    port,
    proxy: undefined,
    serverName: undefined,
    path: "/",
    // Only QUIC's own TLS is used.
    tls: { mode: 1, context: {} as never, ca: undefined, pin: "sha256:00" },
    reportIntervalMs: 5000,
    buffers: new RelayBuffers(),
    lingerer: new Lingerer(),
    log: () => {},
  });
  const failed = await new Promise<Error>((resolve, reject) => {
    dialer.open({ onFailed: resolve, onStream: () => reject(new Error("a stream was opened")) });
  });
  expect(failed).toMatchObject({ code: "PEER_CERTIFICATE_MISMATCH" });
  dialer.close();
  await server.close({ timeoutMs: 0 });
});
