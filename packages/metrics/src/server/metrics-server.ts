import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { METRICS_CONTENT_TYPE } from "../metrics-page.ts";

/** Who scrapes is few, asks rarely, and is quick about it; everybody else is kept out of the way. */
const MAX_CONNECTIONS = 16;
const MAX_HEADER_BYTES = 8 * 1024;
const HEADERS_TIMEOUT_MS = 5000;
/** Longest time for a connection in which nothing moves. */
const STALL_TIMEOUT_MS = 30_000;
/** Longer than most scrape intervals, so that a scraper's connection lasts. */
const KEEP_ALIVE_MS = 75_000;

/** Where metrics are served, and what they are. */
export interface MetricsServerOptions {
  /** Address to listen on; empty for all interfaces. There is no key: keep it on loopback. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Writes the page at a scrape. What it throws is told by `onError`, and answered 500. */
  readonly page: () => string;
  /** Told of failures of the program, not of clients. */
  readonly onError: (error: unknown) => void;
}

/** A server of metrics that listens. */
export interface MetricsServer {
  /** As bound. */
  readonly address: { readonly host: string; readonly port: number };
  /** Cuts everything now; a scrape comes again by itself. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves `GET /metrics` over HTTP, for a tunnel without a master.
 *
 * @throws the system's error if it cannot listen (`EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`)
 */
export async function serveMetrics(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = KEEP_ALIVE_MS + STALL_TIMEOUT_MS;
  server.on("request", (request, response) => answer(options, request, response));
  server.on("clientError", (_error, socket) => socket.destroy());
  await listening(server, options);
  server.on("error", options.onError);
  const { address: host, port } = server.address() as AddressInfo;

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closed;
  };
  return { address: { host, port }, close, [Symbol.asyncDispose]: close };
}

function listening(server: Server, { host, port }: MetricsServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // An empty host is left out: Node takes all interfaces of both families then.
    server.listen({ port, ...(host !== "" && { host }) }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function answer(
  options: MetricsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume();
  response.on("error", () => {
    // Who asked has gone.
  });
  const [path] = (request.url ?? "").split("?", 1);
  if (path !== "/metrics") {
    send(response, 404, "text/plain; charset=utf-8", "404: the metrics are at /metrics\n");
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    send(response, 405, "text/plain; charset=utf-8", "405: only GET and HEAD\n");
    return;
  }
  let page: string;
  try {
    page = options.page();
  } catch (error) {
    options.onError(error);
    send(response, 500, "text/plain; charset=utf-8", "500: the metrics could not be read\n");
    return;
  }
  send(response, 200, METRICS_CONTENT_TYPE, page);
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": String(body.length),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
  });
  // Node leaves the body out of the answer to HEAD.
  response.end(body);
}
