import type { Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { type HostPort, isWildcard } from "@nodepass/url-config";
import { checkNames, type EntryPorts } from "./entry/entry-ports.ts";
import type { NamedEntry } from "./entry/name-router.ts";
import { TunnelError } from "./errors.ts";
import { type ConnectionTaker, TcpListener } from "./listener/tcp-listener.ts";
import { KEEP_ALIVE_MS } from "./stream/tcp-stream.ts";
import { systemErrorCode, systemErrorMeaning } from "./system-errors.ts";
import { UdpListener } from "./udp/udp-listener.ts";
import { createUdpSocket, enlargeBuffers, type UdpSocketOptions } from "./udp/udp-socket.ts";

/** Connections that wait to be accepted; the system's own limit may be lower. */
const BACKLOG = 4096;
/** Tries to find a port that is free for TCP and UDP, when the system chooses it. */
const SHARED_PORT_TRIES = 16;

/** A bound address: TCP listener and UDP socket on one port. */
export interface BoundAddress {
  /** What was asked for; its port may be 0. */
  readonly asked: HostPort;
  readonly host: string;
  readonly port: number;
  readonly tcp: TcpListener | undefined;
  readonly udp: UdpListener | undefined;
  /** A predecessor's, which this one has no use for: as long as it is open the port is taken. */
  readonly formerUdp: UdpListener | undefined;
  /** Of a range, what is bound on each of its ports, this one the first. */
  readonly range?: readonly BoundAddress[] | undefined;
  /** Who takes its TCP connections, once somebody does. */
  readonly taker: ConnectionTaker | undefined;
  /**
   * Begins to take TCP connections; those that came before were closed, or are a predecessor's.
   *
   * @param entry where others can share the port by names
   */
  serve(onConnection: (socket: Socket) => void, entry?: NamedEntry): void;
  /** Takes no TCP connections any more. */
  stopTaking(): void;
  /**
   * Stops taking connections and datagrams; accepted connections go on. What a successor has taken
   * over stays bound.
   */
  close(): void;
}

export interface BindOptions {
  readonly tcp: boolean;
  readonly udp: boolean;
  /** Accepted connections are probed from the start (`KEEP_ALIVE_MS`). @default false */
  readonly keepAlive?: boolean | undefined;
  /** All of the range that this is a port of; to be filled. @default it is one port */
  readonly range?: readonly BoundAddress[] | undefined;
  /** Ports that are shared by names, and the names that are wanted. @default the port is not shared */
  readonly share?: { readonly ports: EntryPorts; readonly names: readonly string[] } | undefined;
  /** Bound by a predecessor: what fits is taken over, its port never closes. @default none */
  readonly from?: readonly BoundAddress[] | undefined;
  /** An error after the address was bound (out of descriptors, an ICMP error). */
  onError(error: Error): void;
}

/**
 * Binds an address for TCP, UDP or both, or takes it over from who has bound it.
 *
 * @throws {TunnelError} `ADDRESS_IN_USE` or `BIND_FAILED`, with nothing left bound
 */
export async function bindAddress(at: HostPort, options: BindOptions): Promise<BoundAddress> {
  const former = options.from?.find(({ asked, host, port }) => {
    return host === at.host && (port === at.port || asked.port === at.port);
  });
  if (former !== undefined) return takeOver(former, at, options);
  for (let tried = 1; ; tried++) {
    const bind = (): Promise<TcpListener> => listen(at, options);
    const { share } = options;
    const tcp = !options.tcp
      ? undefined
      : await (share?.ports.listen(at, share.names, bind) ?? bind());
    const port = tcp === undefined ? at.port : portOf(tcp.server);
    if (!options.udp) return bound(at, port, tcp, undefined, options);
    try {
      const udp = await bindUdp({ host: at.host, port });
      return bound(at, udp.port, tcp, udp, options);
    } catch (error) {
      tcp?.giveUp();
      // The port that the system chose for TCP may be taken for UDP.
      const again = at.port === 0 && tried < SHARED_PORT_TRIES;
      if (!(again && error instanceof TunnelError && error.code === "ADDRESS_IN_USE")) throw error;
    }
  }
}

/**
 * Binds each port of a range, or the one port there is.
 *
 * @throws {TunnelError} as `bindAddress`, naming the port, with nothing left bound
 */
export async function bindRange(
  at: HostPort,
  options: BindOptions,
): Promise<readonly BoundAddress[]> {
  const { host, port, lastPort = port } = at;
  const from = options.from?.flatMap((bound) => bound.range ?? bound);
  const all: BoundAddress[] = [];
  try {
    for (let one = port; one <= lastPort; one++) {
      const range = lastPort === port ? undefined : all;
      all.push(await bindAddress({ host, port: one }, { ...options, from, range }));
    }
  } catch (error) {
    for (const bound of all) bound.close();
    throw error;
  }
  return all;
}

/** What the predecessor does not have, or has in another way, is bound on its port. */
async function takeOver(
  former: BoundAddress,
  asked: HostPort,
  options: BindOptions,
): Promise<BoundAddress> {
  const at = { host: asked.host, port: former.port };
  const fits = former.tcp?.keepAlive === (options.keepAlive === true);
  if (options.tcp && fits && former.tcp !== undefined) {
    checkNames(former.tcp, at, options.share?.names ?? [], former.taker);
    former.tcp.hold();
  }
  const tcp = !options.tcp ? undefined : fits ? former.tcp : await listen(at, options);
  const known = former.udp ?? former.formerUdp;
  const open = known?.closed === false ? known : undefined;
  try {
    if (!options.udp) return bound(asked, at.port, tcp, undefined, options, open);
    return bound(asked, at.port, tcp, open ?? (await bindUdp(at)), options);
  } catch (error) {
    tcp?.giveUp();
    throw error;
  }
}

function bound(
  asked: HostPort,
  port: number,
  tcp: TcpListener | undefined,
  udp: UdpListener | undefined,
  { onError, range }: BindOptions,
  formerUdp?: UdpListener,
): BoundAddress {
  let taker: ConnectionTaker | undefined;
  let open = true;
  let holds = true;
  const stopTaking = (): void => {
    if (tcp === undefined) return;
    if (taker !== undefined) tcp.leave(taker);
    else if (holds) {
      holds = false;
      tcp.giveUp();
    }
  };
  udp?.hold(onError);
  return {
    asked,
    host: asked.host,
    port,
    tcp,
    udp,
    formerUdp,
    range,
    get taker() {
      return taker;
    },
    serve(onConnection, entry) {
      if (tcp === undefined || !open || !holds || taker !== undefined) return;
      taker = { onConnection, onError, entry };
      tcp.take(taker);
    },
    stopTaking,
    close() {
      if (!open) return;
      open = false;
      stopTaking();
      udp?.release(onError);
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function listen(at: HostPort, options: BindOptions): Promise<TcpListener> {
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
    const address = { port: at.port, backlog: BACKLOG, ...(at.host !== "" && { host: at.host }) };
    server.listen(address, () => {
      server.off("error", failed);
      resolve(new TcpListener(server, options.keepAlive === true));
    });
  });
}

async function bindUdp(at: HostPort): Promise<UdpListener> {
  const [socket, family] = await inEitherFamily(at, (one) => bindUdpFamily(at, one));
  if (at.host === "" && family === 6) return new UdpListener({ socket, wildcard: "both" });
  return new UdpListener({ socket, wildcard: isWildcard(at.host) ? family : undefined });
}

/**
 * Binds one UDP socket; on all addresses it takes datagrams of both families, where there is IPv6.
 *
 * @returns a socket that has an error listener, and no other
 * @throws {TunnelError} `ADDRESS_IN_USE` or `BIND_FAILED`
 * @example
 * const socket = await bindUdpPort({ host: "127.0.0.1", port: 0 });
 */
export async function bindUdpPort(at: HostPort): Promise<UdpSocket> {
  const options = { bindAll: isWildcard(at.host), reuseAddress: false };
  const [socket] = await inEitherFamily(at, (family) => bindUdpSocket(at, family, options));
  return socket;
}

/** Without a host it is IPv6, and IPv4 where there is no IPv6. */
async function inEitherFamily<T>(
  at: HostPort,
  bind: (family: 4 | 6) => Promise<T>,
): Promise<[T, 4 | 6]> {
  if (at.host !== "") {
    const family = at.host.includes(":") ? 6 : 4;
    return [await bind(family), family];
  }
  try {
    return [await bind(6), 6];
  } catch (error) {
    if (error instanceof TunnelError && error.code === "ADDRESS_IN_USE") throw error;
    return [await bind(4), 4];
  }
}

/**
 * Binds a port that is free. On all addresses it is bound twice: sockets for each address can share
 * the port only with one that allows it, and such a one would also share it with a stranger's.
 */
async function bindUdpFamily(at: HostPort, family: 4 | 6): Promise<UdpSocket> {
  const bindAll = at.host === "";
  const alone = await bindUdpSocket(at, family, { bindAll, reuseAddress: false });
  if (!isWildcard(at.host)) return alone;
  const { port } = alone.address();
  alone.close();
  return bindUdpSocket({ host: at.host, port }, family, { bindAll, reuseAddress: true });
}

function bindUdpSocket(
  at: HostPort,
  family: 4 | 6,
  options: Pick<UdpSocketOptions, "bindAll" | "reuseAddress">,
): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const named = at.host !== "" && !/^[\d.]+$|:/.test(at.host);
    const socket = createUdpSocket(family, { ...options, systemLookup: named });
    const failed = (error: Error): void => {
      socket.close();
      reject(bindError(at, "udp", error));
    };
    socket.once("error", failed);
    const address = { port: at.port, exclusive: true, ...(at.host !== "" && { address: at.host }) };
    socket.bind(address, () => {
      socket.off("error", failed);
      // The listener's from here on; it is made in the same turn.
      socket.on("error", () => undefined);
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
