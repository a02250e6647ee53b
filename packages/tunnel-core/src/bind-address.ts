import type { Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { type HostPort, isWildcard } from "@nodepass/url-config";
import { TunnelError } from "./errors.ts";
import { KEEP_ALIVE_MS } from "./stream/tcp-stream.ts";
import { systemErrorCode, systemErrorMeaning } from "./system-errors.ts";
import { UdpListener } from "./udp/udp-listener.ts";
import { createUdpSocket, enlargeBuffers } from "./udp/udp-socket.ts";

/** Connections that wait to be accepted; the system's own limit may be lower. */
const BACKLOG = 4096;
/** Tries to find a port that is free for TCP and UDP, when the system chooses it. */
const SHARED_PORT_TRIES = 16;

/** A bound address: TCP listener and UDP socket on one port. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
  readonly tcp: Server | undefined;
  readonly udp: UdpListener | undefined;
  /** Stops taking connections and datagrams; accepted connections go on. */
  close(): void;
}

export interface BindOptions {
  readonly tcp: boolean;
  readonly udp: boolean;
  /** Accepted connections are probed from the start (`KEEP_ALIVE_MS`). @default false */
  readonly keepAlive?: boolean | undefined;
  onConnection(socket: Socket): void;
  /** An error after the address was bound (out of descriptors, an ICMP error). */
  onError(error: Error): void;
}

/**
 * Binds an address for TCP, UDP or both.
 *
 * @throws {TunnelError} `ADDRESS_IN_USE` or `BIND_FAILED`, with nothing left bound
 */
export async function bindAddress(at: HostPort, options: BindOptions): Promise<BoundAddress> {
  for (let tried = 1; ; tried++) {
    const tcp = options.tcp ? await listen(at, options) : undefined;
    const port = tcp === undefined ? at.port : portOf(tcp);
    if (!options.udp) return bound(at, port, tcp, undefined);
    try {
      const udp = await bindUdp({ host: at.host, port }, options);
      return bound(at, udp.port, tcp, udp);
    } catch (error) {
      tcp?.close();
      // The port that the system chose for TCP may be taken for UDP.
      const again = at.port === 0 && tried < SHARED_PORT_TRIES;
      if (!(again && error instanceof TunnelError && error.code === "ADDRESS_IN_USE")) throw error;
    }
  }
}

function bound(
  at: HostPort,
  port: number,
  tcp: Server | undefined,
  udp: UdpListener | undefined,
): BoundAddress {
  let open = true;
  return {
    host: at.host,
    port,
    tcp,
    udp,
    close() {
      if (!open) return;
      open = false;
      tcp?.close();
      udp?.close();
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function listen(at: HostPort, options: BindOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      highWaterMark: 0,
      keepAlive: options.keepAlive === true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    const failed = (error: Error): void => reject(bindError(at, "tcp", error));
    server.once("error", failed);
    server.on("connection", (socket: Socket) => options.onConnection(socket));
    const address = { port: at.port, backlog: BACKLOG, ...(at.host !== "" && { host: at.host }) };
    server.listen(address, () => {
      server.off("error", failed);
      server.on("error", (error) => options.onError(error));
      resolve(server);
    });
  });
}

async function bindUdp(at: HostPort, options: BindOptions): Promise<UdpListener> {
  const { onError } = options;
  if (at.host !== "") {
    const family = at.host.includes(":") ? 6 : 4;
    const wildcard = isWildcard(at.host) ? family : undefined;
    return new UdpListener({ socket: await bindUdpFamily(at, family, options), wildcard, onError });
  }
  try {
    const socket = await bindUdpFamily(at, 6, options);
    return new UdpListener({ socket, wildcard: "both", onError });
  } catch (error) {
    // No IPv6 on this host.
    if (error instanceof TunnelError && error.code === "ADDRESS_IN_USE") throw error;
    const socket = await bindUdpFamily(at, 4, options);
    return new UdpListener({ socket, wildcard: 4, onError });
  }
}

/**
 * Binds a port that is free. On all addresses it is bound twice: sockets for each address can share
 * the port only with one that allows it, and such a one would also share it with a stranger's.
 */
async function bindUdpFamily(
  at: HostPort,
  family: 4 | 6,
  options: BindOptions,
): Promise<UdpSocket> {
  const alone = await bindUdpSocket(at, family, options, false);
  if (!isWildcard(at.host)) return alone;
  const { port } = alone.address();
  alone.close();
  return bindUdpSocket({ host: at.host, port }, family, options, true);
}

function bindUdpSocket(
  at: HostPort,
  family: 4 | 6,
  options: BindOptions,
  reuseAddress: boolean,
): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const named = at.host !== "" && !/^[\d.]+$|:/.test(at.host);
    const socket = createUdpSocket(family, {
      bindAll: at.host === "",
      systemLookup: named,
      reuseAddress,
    });
    const failed = (error: Error): void => {
      socket.close();
      reject(bindError(at, "udp", error));
    };
    socket.once("error", failed);
    const address = { port: at.port, exclusive: true, ...(at.host !== "" && { address: at.host }) };
    socket.bind(address, () => {
      socket.off("error", failed);
      socket.on("error", (error) => options.onError(error));
      enlargeBuffers(socket);
      resolve(socket);
    });
  });
}

function bindError(
  at: HostPort,
  protocol: "tcp" | "udp",
  error: NodeJS.ErrnoException,
): TunnelError {
  const where = `${at.host}:${at.port} (${protocol})`;
  const meaning = systemErrorMeaning(error) ?? error.message;
  if (systemErrorCode(error) === "EADDRINUSE") {
    return new TunnelError("ADDRESS_IN_USE", `address ${where} is in use`, { cause: error });
  }
  return new TunnelError("BIND_FAILED", `cannot bind ${where}: ${meaning}`, { cause: error });
}
