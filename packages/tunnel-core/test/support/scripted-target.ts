import type { RemoteInfo } from "node:dgram";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { reservePort } from "test-support";
import type { Target } from "../peer-114/index.ts";

/** A service behind the tunnel whose behaviour each test sets. */
export interface ScriptedTarget extends Target {
  /** Serves a TCP connection; half-open is allowed. */
  onTcp: (socket: Socket) => void;
  /** Serves a datagram. */
  onUdp: (datagram: Buffer, from: RemoteInfo, socket: UdpSocket) => void;
  /** `host:port`. */
  readonly at: string;
  /** Users' addresses that datagrams came from. */
  readonly udpSources: Set<string>;
  /** TCP connections taken so far. */
  connections: number;
  close(): Promise<void>;
}

/** Sends everything back, FIN after FIN. */
export function echoTcp(socket: Socket): void {
  socket.pipe(socket);
}

/** Sends each datagram back as it is. */
export function echoUdp(datagram: Buffer, from: RemoteInfo, socket: UdpSocket): void {
  socket.send(datagram, from.port, from.address);
}

/** Starts an echoing target, TCP and UDP on one port of `host`: a free one if it is 0. */
export async function startScriptedTarget(host = "127.0.0.1", port = 0): Promise<ScriptedTarget> {
  for (let tried = 1; ; tried++) {
    const target = await tryStart(host, port);
    if (target !== undefined) return target;
    if (tried === 20) throw new Error("no port is free for TCP and UDP");
  }
}

async function tryStart(host: string, at: number): Promise<ScriptedTarget | undefined> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Resets are part of the tests; who wants to see one adds a listener.
    socket.on("error", () => {});
    target.connections++;
    target.onTcp(socket);
  });
  server.listen({ host, port: at, backlog: 4096 });
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const udp = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    udp.bind(port, host);
    await once(udp, "listening");
  } catch {
    // Taken for UDP: another port is tried.
    udp.close();
    server.close();
    return undefined;
  }
  udp.setRecvBufferSize(4 * 1024 * 1024);
  udp.on("message", (datagram, from) => {
    target.udpSources.add(`${from.address}:${from.port}`);
    target.onUdp(datagram, from, udp);
  });
  const target: ScriptedTarget = {
    host,
    port,
    at: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    onTcp: echoTcp,
    onUdp: echoUdp,
    udpSources: new Set(),
    connections: 0,
    close: async () => {
      const closed = [once(server, "close"), once(udp, "close")];
      server.close();
      udp.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
  return target;
}

/** A port of 127.0.0.1 that refuses connections. */
export const closedPort = reservePort;
