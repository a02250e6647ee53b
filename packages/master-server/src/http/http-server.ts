import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  type CertificateSource,
  KEEP_ALIVE_MS,
  systemErrorCode,
  systemErrorMeaning,
} from "@nodepass/tunnel-core";
import { formatHostPort, type HostPort } from "@nodepass/url-config";
import { MasterServerError } from "../master-server-error.ts";
import { createConnectionGate } from "./connection-gate.ts";
import { interceptConnections } from "./intercept-connections.ts";
import { answerParserError } from "./parser-errors.ts";
import { createRequestListener, type FetchHandler } from "./request-listener.ts";
import { secureConnection } from "./secure-connection.ts";
import type { ServerLimits } from "./server-limits.ts";

/** What a server serves, where and how. */
export interface HttpServerOptions {
  /** An empty host means all interfaces, port 0 a free one. */
  readonly listen: HostPort;
  readonly fetch: FetchHandler;
  /** Answers that may break off or never end. @default those of `text/event-stream` */
  readonly isStreamed?: ((response: Response) => boolean) | undefined;
  /** Whether one from this address may connect at all. @default everybody */
  readonly admits?: ((address: string) => boolean) | undefined;
  readonly limits: ServerLimits;
  /** Without it, plain HTTP is spoken. */
  readonly certificate?: CertificateSource | undefined;
  /** Told of failures of the program, not of clients. */
  readonly onError: (error: unknown) => void;
}

/** A server that listens. */
export interface HttpServer {
  /** As bound. */
  readonly address: HostPort;
  /** Connections now. */
  readonly connections: number;
  /** Listens no more and lets what is being answered finish; cut by `destroy`. Idempotent. */
  close(): Promise<void>;
  /** Cuts everything now. Idempotent. */
  destroy(): void;
}

/**
 * Serves an application over HTTP/1.1, with bounds on what clients may take.
 *
 * @throws {MasterServerError} `ADDRESS_IN_USE`, `ADDRESS_UNUSABLE`
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { limits, certificate, onError } = options;
  let closed: Promise<void> | undefined;
  const handle = createRequestListener(options.fetch, onError, options.isStreamed);
  /** The last request on each connection. */
  const lastOn = new WeakMap<Duplex, { incoming: IncomingMessage; outgoing: ServerResponse }>();
  const isUnheard = (connection: Duplex): boolean => {
    const last = lastOn.get(connection);
    return last !== undefined && !last.incoming.complete && !last.outgoing.headersSent;
  };
  const isUnread = (connection: Duplex): boolean => {
    const { writableEnded, writableFinished } = lastOn.get(connection)?.outgoing ?? {};
    return writableEnded === true && writableFinished !== true;
  };
  const gate = createConnectionGate<Socket>(
    limits.maxConnections,
    (connection) => isUnheard(connection) || isUnread(connection),
  );
  /** The TCP connections that carry those with TLS; the gate knows only the former. */
  const carriers = new WeakMap<Duplex, Socket>();
  const carrierOf = (connection: Duplex) => carriers.get(connection) ?? connection;
  const canAnswer = (connection: Duplex): boolean => {
    const carrier = carrierOf(connection);
    const count = carrier instanceof Socket ? gate.requestsOn(carrier) : 0;
    // One whose body has not come yet is answered in place of the program.
    return count === 0 || (count === 1 && isUnheard(carrier));
  };
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      // Finds the ends of the two time-outs above.
      connectionsCheckingInterval: 1000,
      // Finds clients that vanished without a word.
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    },
    (incoming, outgoing) => {
      const { socket } = incoming;
      const carrier = carriers.get(socket) ?? socket;
      lastOn.set(carrier, { incoming, outgoing });
      const leave = gate.enter(carrier);
      outgoing.once("close", () => {
        leave();
        // One that could be kept alive is idle only after this event.
        if (closed !== undefined) setImmediate(() => server.closeIdleConnections());
      });
      void handle(incoming, outgoing).catch(onError);
    },
  );
  server.setTimeout(limits.stallTimeoutMs);
  server.on("clientError", (error, connection) => {
    answerParserError(error, connection, canAnswer(connection));
  });

  interceptConnections(server, (socket, serve) => {
    if (options.admits?.(socket.remoteAddress ?? "") === false) {
      socket.destroy();
      return;
    }
    if (!gate.admit(socket)) return;
    if (certificate === undefined) {
      serve(socket);
      return;
    }
    const { handshakeTimeoutMs } = limits;
    secureConnection(socket, { certificate, handshakeTimeoutMs }, (secured) => {
      carriers.set(secured, socket);
      serve(secured);
    });
  });

  const address = await listen(server, options.listen);
  server.on("error", onError);
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
    return closed;
  };
  return {
    address,
    get connections() {
      return gate.size;
    },
    close,
    destroy() {
      void close();
      gate.destroy();
    },
  };
}

async function listen(server: Server, { host, port }: HostPort): Promise<HostPort> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host === "" ? {} : { host }) }, () => {
      server.off("error", reject);
      resolve();
    });
  }).catch((error: unknown) => {
    throw toListenError(error, formatHostPort({ host, port }));
  });
  const bound = server.address() as AddressInfo;
  return { host: host === "" ? "" : bound.address, port: bound.port };
}

function toListenError(error: unknown, address: string): MasterServerError {
  const code = systemErrorCode(error) ?? "";
  if (code === "EADDRINUSE") {
    const message = `cannot listen on ${address}: the address is in use (${code})`;
    return new MasterServerError("ADDRESS_IN_USE", message, { cause: error });
  }
  const text = error instanceof Error ? error.message : String(error);
  const reason = systemErrorMeaning(error) ?? text;
  const message = `cannot listen on ${address}: ${reason}${code === "" ? "" : ` (${code})`}`;
  return new MasterServerError("ADDRESS_UNUSABLE", message, { cause: error });
}
