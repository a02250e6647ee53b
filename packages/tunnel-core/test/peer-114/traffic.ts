import { createHash } from "node:crypto";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Target } from "./exit-114.ts";

/** A service behind the tunnel, TCP and UDP on one port. */
export interface TestTarget extends Target {
  /** TCP connections so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

export interface TestTargetOptions {
  /** Serves one TCP connection. @default sends every byte back, and FIN after FIN */
  readonly tcp?: ((socket: Socket) => void) | undefined;
  /** The answers to a datagram. @default `re:` and the datagram */
  readonly udp?: ((datagram: Buffer) => readonly Buffer[]) | undefined;
}

/**
 * Sends `re:` and what came in the first read, then closes after the other end has; before it when
 * that was `close me`.
 */
export function answerOnce(socket: Socket): void {
  socket.once("data", (chunk: Buffer) => {
    socket.write(Buffer.concat([Buffer.from("re:"), chunk]));
    if (String(chunk) === "close me") socket.end();
  });
}

/** Starts a target on 127.0.0.1. */
export async function startTarget(options: TestTargetOptions = {}): Promise<TestTarget> {
  const serve = options.tcp ?? ((socket: Socket) => void socket.pipe(socket));
  const answer =
    options.udp ?? ((datagram: Buffer) => [Buffer.concat([Buffer.from("re:"), datagram])]);
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {
      // A relay that resets: the close event follows.
    });
    serve(socket);
  });
  for (let attempt = 0; ; attempt++) {
    server.listen(0, "127.0.0.1", 4096);
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const udp = createSocket("udp4");
    try {
      udp.bind(port, "127.0.0.1");
      await once(udp, "listening");
    } catch (error) {
      udp.close();
      server.close();
      await once(server, "close");
      if (attempt >= 20) throw error;
      continue;
    }
    udp.on("message", (datagram, from) => {
      for (const each of answer(datagram)) udp.send(each, from.port, from.address);
    });
    return {
      host: "127.0.0.1",
      port,
      connections: () => connections,
      close: async () => {
        for (const socket of sockets) socket.destroy();
        const closed = [once(server, "close"), once(udp, "close")];
        server.close();
        udp.close();
        await Promise.all(closed);
      },
    };
  }
}

/** Opens a connection, sends `payload`, waits for `answerLength` bytes, closes. */
export async function exchangeTcp(
  where: Target,
  payload: Buffer,
  answerLength: number,
): Promise<Buffer> {
  const socket = connect({ host: where.host, port: where.port });
  socket.write(payload);
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of socket) {
    chunks.push(chunk);
    received += chunk.length;
    if (received >= answerLength) break;
  }
  return Buffer.concat(chunks);
}

/**
 * Sends `bytes` bytes in chunks through an echo and reads them back at the same time.
 *
 * @returns the digests of what went out and what came back, and how much came back
 */
export async function transfer(
  where: Target,
  bytes: number,
): Promise<{ readonly sent: string; readonly received: string; readonly receivedBytes: number }> {
  const socket = connect({ host: where.host, port: where.port });
  const sent = createHash("sha256");
  const received = createHash("sha256");
  const write = async () => {
    for (let at = 0; at < bytes; ) {
      const chunk = patterned(at, Math.min(48_000, bytes - at));
      at += chunk.length;
      sent.update(chunk);
      if (!socket.write(chunk)) await once(socket, "drain");
    }
  };
  const writing = write();
  // The reader below meets the same error and throws it.
  writing.catch(() => undefined);
  let receivedBytes = 0;
  for await (const chunk of socket) {
    received.update(chunk);
    receivedBytes += chunk.length;
    if (receivedBytes >= bytes) break;
  }
  // A connection that was cut leaves a writer waiting for ever; its digest is wrong anyhow.
  if (receivedBytes >= bytes) await writing;
  return { sent: sent.digest("hex"), received: received.digest("hex"), receivedBytes };
}

/** Bytes that differ along the stream, so that a lost or doubled piece shows. */
function patterned(offset: number, length: number): Buffer {
  const chunk = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) chunk.writeUInt32LE((offset + at) >>> 0, at);
  return chunk;
}

/** A UDP user: sends a datagram and waits for the next one to come back. */
export interface UdpUser {
  exchange(payload: Buffer): Promise<Buffer>;
  close(): void;
}

export async function openUdpUser(where: Target): Promise<UdpUser> {
  const socket: UdpSocket = createSocket("udp4");
  socket.connect(where.port, where.host);
  await once(socket, "connect");
  return {
    exchange: async (payload) => {
      const answer = once(socket, "message");
      socket.send(payload);
      const [datagram]: unknown[] = await answer;
      if (!Buffer.isBuffer(datagram)) throw new Error("not a datagram");
      return datagram;
    },
    close: () => socket.close(),
  };
}
