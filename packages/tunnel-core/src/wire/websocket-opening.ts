import { createHash, randomBytes } from "node:crypto";
import { TunnelError } from "../errors.ts";
import { type HttpHead, hasToken, pathOf } from "./http-head.ts";

/**
 * The opening of a WebSocket connection (RFC 6455, section 4): one HTTP/1.1 request and its answer,
 * no subprotocol, no extension (so no compression).
 */

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const VERSION = "13";

/** Longest answer that a client reads, bytes. */
export const MAX_OPENING_BYTES = 8 * 1024;

/** A client's key: 16 random bytes in base64. */
export function newWebSocketKey(): string {
  return randomBytes(16).toString("base64");
}

/** What a server answers to a client's key, so that both know it speaks WebSocket. */
export function webSocketAccept(key: string): string {
  return createHash("sha1").update(`${key}${GUID}`).digest("base64");
}

/** Writes a client's request as NodePass 1.14 does. @param host value of `Host` */
export function formatOpeningRequest(path: string, host: string, key: string): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Go-http-client/1.1\r\n` +
    `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: ${VERSION}\r\n` +
    "Upgrade: websocket\r\n\r\n"
  );
}

/** What a server makes of a request for the WebSocket. */
export type OpeningVerdict =
  | { readonly accepted: true; readonly path: string; readonly accept: string }
  | { readonly accepted: false; readonly status: 400 | 405 | 426; readonly why: string };

/** Checks a request that wants the WebSocket protocol (section 4.2.1). */
export function readOpeningRequest({ line, fields }: HttpHead): OpeningVerdict {
  const [method, target = "", version] = line.split(" ");
  const refuse = (status: 400 | 405 | 426, why: string): OpeningVerdict => ({
    accepted: false,
    status,
    why,
  });
  if (method !== "GET") return refuse(405, "the method is not GET");
  if (version !== "HTTP/1.1") return refuse(400, "the version is not HTTP/1.1");
  if (!hasToken(fields.get("connection"), "upgrade")) {
    return refuse(400, "there is no Connection: Upgrade");
  }
  const key = fields.get("sec-websocket-key");
  if (key === undefined || !KEY.test(key)) return refuse(400, "Sec-WebSocket-Key is no key");
  if (fields.get("sec-websocket-version") !== VERSION) {
    return refuse(426, `the version is not ${VERSION}`);
  }
  return { accepted: true, path: pathOf(target), accept: webSocketAccept(key) };
}

/** A server's answer that begins the WebSocket. */
export function formatOpeningAnswer(accept: string): string {
  return (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`
  );
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  426: "Upgrade Required",
  503: "Service Unavailable",
};

/** A server's answer that refuses it; the connection is closed with it. */
export function formatOpeningRefusal(status: number, why: string): string {
  const body = `${why}\n`;
  return (
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Refused"}\r\nConnection: close\r\n` +
    "Content-Type: text/plain; charset=utf-8\r\n" +
    `${status === 426 ? `Sec-WebSocket-Version: ${VERSION}\r\n` : ""}` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/**
 * Checks a server's answer to a client's request (section 4.1).
 *
 * @param key the key of the request
 * @throws {TunnelError} `PEER_LOST` if it doesn't begin a WebSocket, with what it says instead
 */
export function checkOpeningAnswer(head: HttpHead, key: string): void {
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head.line)?.[1];
  if (status !== "101") {
    const shown = head.line.slice(0, 64).replaceAll(/[^\x20-\x7e]/g, "?");
    throw refused(`it answered ${JSON.stringify(shown)}`);
  }
  const { fields } = head;
  if (!hasToken(fields.get("upgrade"), "websocket")) throw refused("its answer names no upgrade");
  if (!hasToken(fields.get("connection"), "upgrade")) {
    throw refused("its answer has no Connection: Upgrade");
  }
  if (fields.get("sec-websocket-accept") !== webSocketAccept(key)) {
    throw refused("its Sec-WebSocket-Accept is wrong");
  }
  if (fields.has("sec-websocket-extensions") || fields.has("sec-websocket-protocol")) {
    throw refused("its answer names an extension or subprotocol that was not asked for");
  }
}

function refused(why: string): TunnelError {
  return new TunnelError("PEER_LOST", `the server opened no websocket: ${why}`);
}
