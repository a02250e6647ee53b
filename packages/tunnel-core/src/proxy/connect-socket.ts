import { connect, type Socket } from "node:net";
import {
  connect as connectTls,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
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
        /** TLS 1.3, with what this trusts. @default by `ca` */
        readonly context?: SecureContext | undefined;
        /** ALPN. */
        readonly protocols?: string[] | undefined;
      }
    | undefined;
  readonly signal: AbortSignal;
}

/** Connects a socket for Node's own HTTP client, through a proxy if the route has one, with TLS. */
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
        })
      : await throughProxy({ address, port, proxy }, signal);
  if (tls === undefined) return raw;
  return secure(raw, tls);
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
  const socket = connectTls({
    socket: raw,
    host: tls.address,
    rejectUnauthorized: tls.verified,
    ...(tls.context !== undefined && { secureContext: tls.context, minVersion: "TLSv1.3" }),
    ...(tls.protocols !== undefined && { ALPNProtocols: tls.protocols }),
    ...(tls.ca !== undefined && { ca: [...rootCertificates, ...tls.ca] }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  });
  // An error of the connection underneath is one of this socket.
  raw.on("error", (error) => socket.destroy(error));
  return socket;
}
