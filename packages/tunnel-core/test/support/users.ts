import { createHash, randomBytes } from "node:crypto";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Target } from "../peer-114/index.ts";

const opened = new Set<{ destroy(): void }>();

/** Ends all users that tests have left: for `afterEach`. */
export function endUsers(): void {
  for (const user of [...opened]) user.destroy();
  opened.clear();
}

/** Connects a user who closes nothing by itself. @param from address of its end */
export async function dial(where: Target, from?: string): Promise<Socket> {
  const { host, port } = where;
  const socket = connect({ host, port, localAddress: from, allowHalfOpen: true });
  opened.add(socket);
  // Who wants to see a reset adds a listener of his own.
  socket.on("error", () => {});
  socket.once("close", () => opened.delete(socket));
  await once(socket, "connect");
  return socket;
}

/** Reads until the other side's FIN. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** Reads `length` bytes, no more, and leaves the socket paused. */
export async function readExactly(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let have = 0;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.pause();
      socket.off("data", onData).off("error", settle).off("close", onClose);
      if (error) reject(error);
      else resolve();
    };
    const onClose = () => settle(new Error(`closed after ${have} of ${length} bytes`));
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      have += chunk.length;
      if (have >= length) settle();
    };
    socket.on("data", onData).on("error", settle).on("close", onClose);
    socket.resume();
  });
  return Buffer.concat(chunks);
}

/**
 * How the socket ends: the error's code, or "closed" after a FIN, which is answered. Before libuv 1.52
 * a reset right behind data looks like a FIN to Node, but not to who then writes, if only nothing.
 */
export function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let ended = "closed";
    socket.on("error", (error: NodeJS.ErrnoException) => {
      ended = error.code ?? error.message;
    });
    socket.once("end", () => {
      if (!(socket.writableEnded || "encrypted" in socket)) socket.write(Buffer.alloc(0));
      socket.end();
    });
    socket.once("close", () => resolve(ended));
    socket.resume();
  });
}

/** How a connection ends that is refused, at once or later. @param from address of its end */
export async function refusalOf(where: Target, from?: string): Promise<string> {
  const socket = connect({ host: where.host, port: where.port, localAddress: from });
  return endOf(socket);
}

/** Sends a payload through an echoing target and gives back what came. */
export async function echo(where: Target, payload: Buffer): Promise<Buffer> {
  const socket = await dial(where);
  const answer = readAll(socket);
  socket.end(payload);
  return await answer;
}

/** Sends random bytes through an echoing target, both ways at once; the two digests. */
export async function echoRandom(where: Target, bytes: number): Promise<[string, string]> {
  const payload = randomBytes(bytes);
  return [digest(payload), digest(await echo(where, payload))];
}

export function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A user of UDP. */
export interface UdpPeer {
  readonly socket: UdpSocket;
  readonly received: Buffer[];
  send(payload: Buffer): void;
  close(): void;
}

export async function openUdpPeer(where: Target): Promise<UdpPeer> {
  const socket = createSocket("udp4");
  const received: Buffer[] = [];
  socket.on("message", (datagram) => received.push(datagram));
  const user = {
    destroy: () => {
      if (opened.delete(user)) socket.close();
    },
  };
  opened.add(user);
  socket.connect(where.port, where.host);
  await once(socket, "connect");
  return {
    socket,
    received,
    send: (payload) => socket.send(payload),
    close: user.destroy,
  };
}
