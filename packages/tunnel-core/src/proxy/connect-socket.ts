import { connect, type Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import { TunnelError } from "../errors.ts";
import { tls as nodeTls } from "../node-tls.ts";
import { KEEP_ALIVE_MS } from "../stream/tcp-stream.ts";
import { ProxyDial } from "./proxy-dial.ts";
import type { Route } from "./route.ts";

export interface ConnectSocketOptions {
  readonly route: Route;
  /** `undefined`: no TLS. */
  readonly tls:
    | {
        /** Chain and name; else any certificate will do. */
        readonly verified: boolean;
        /** SNI, and the name to verify; `undefined`: the certificate has to be for `address`. */
        readonly serverName: string | undefined;
        readonly address: string;
        /** PEM. @default Node's */
        readonly ca?: readonly string[] | undefined;
        /** Which versions of TLS, and whom to trust. @default Node's versions, and `ca` */
        readonly context?: SecureContext | undefined;
        /** ALPN. */
        readonly protocols?: string[] | undefined;
      }
    | undefined;
  readonly signal: AbortSignal;
}

/**
 * Connects a socket for Node's own HTTP clients, through a proxy if the route has one, with TLS.
 *
 * @returns one that stands, TLS and all. It has an error listener already: an error that comes
 *   before its user listens, or a second one, is no uncaught exception
 * @throws the system's error, `TunnelError` `PROXY_FAILED`, `PEER_LOST` if the other side closed the
 *   connection, or the signal's reason
 */
export async function connectSocket(options: ConnectSocketOptions): Promise<Socket> {
  const { route, tls, signal } = options;
  signal.throwIfAborted();
  const { address, port, proxy } = route;
  const raw =
    proxy === undefined
      ? connect({
          host: address,
          port,
          keepAlive: true,
          keepAliveInitialDelay: KEEP_ALIVE_MS,
          autoSelectFamily: false,
          // At once: some failures are told of before a promise is settled.
        }).on("error", ignore)
      : await throughProxy({ address, port, proxy }, signal);
  if (raw.destroyed) throw closedEarly();
  if (tls !== undefined) return stands(secure(raw, tls), "secureConnect", signal);
  return raw.connecting ? stands(raw, "connect", signal) : raw;
}

/** Until a socket is connected, or its TLS handshake is through. */
function stands<S extends Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => settle(() => reject(error));
    const closed = (): void => failed(closedEarly());
    const aborted = (): void => {
      failed(signal.reason);
      socket.destroy();
    };
    const stood = (): void => settle(() => resolve(socket));
    const settle = (done: () => void): void => {
      socket.off("error", failed);
      socket.off("close", closed);
      socket.off(event, stood);
      signal.removeEventListener("abort", aborted);
      done();
    };
    socket.on("error", failed);
    socket.on("close", closed);
    socket.on(event, stood);
    signal.addEventListener("abort", aborted, { once: true });
  });
}

function closedEarly(): TunnelError {
  return new TunnelError("PEER_LOST", "the other side closed the connection before it stood");
}

function throughProxy(
  route: Route & { readonly proxy: NonNullable<Route["proxy"]> },
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      dial.cancel();
      reject(signal.reason);
    };
    const dial = new ProxyDial({
      route,
      onConnected(socket, rest) {
        signal.removeEventListener("abort", aborted);
        socket.on("error", ignore);
        if (rest !== undefined) socket.unshift(rest);
        resolve(socket);
      },
      onFailed(error) {
        signal.removeEventListener("abort", aborted);
        reject(error);
      },
    });
    signal.addEventListener("abort", aborted, { once: true });
  });
}

function secure(raw: Socket, tls: NonNullable<ConnectSocketOptions["tls"]>): TLSSocket {
  const socket = nodeTls().connect({
    socket: raw,
    host: tls.address,
    rejectUnauthorized: tls.verified,
    ...(tls.context !== undefined && { secureContext: tls.context }),
    ...(tls.protocols !== undefined && { ALPNProtocols: tls.protocols }),
    ...(tls.ca !== undefined && { ca: [...nodeTls().rootCertificates, ...tls.ca] }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  });
  // An error of the connection underneath is one of this socket, and Node tells of it as well.
  socket.on("error", ignore);
  raw.on("error", (error) => socket.destroy(error));
  return socket;
}

function ignore(): void {
  // Whoever waits for the socket or uses it has a listener of his own.
}
