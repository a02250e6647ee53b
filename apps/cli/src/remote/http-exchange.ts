import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { toConnectionError, unreachable } from "./connection-error.ts";
import { openSocket } from "./open-socket.ts";
import type { Trust } from "./trust.ts";

/** Where requests go, and with what. */
export interface HttpTarget {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  readonly trust: Trust;
  /** Longest wait for an answer, ms. */
  readonly timeoutMs: number;
  /** Headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One request. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** An answer of this size has ten thousands of instances; a longer one is cut off, bytes. */
const maxAnswerBytes = 64 * 1024 * 1024;

/**
 * Sends a request and reads the whole answer, over a connection of its own. Redirects are answers:
 * the key goes to nobody else.
 *
 * @throws {CliError} unreachable
 */
export async function exchange(target: HttpTarget, sent: HttpRequest): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(target.timeoutMs);
  const signal = sent.signal === undefined ? timeout : AbortSignal.any([timeout, sent.signal]);
  try {
    return await readAnswer(target.origin, await send(target, { ...sent, signal }), signal);
  } catch (error) {
    throw toFailure(target, error, timeout);
  }
}

/**
 * Sends a request and hands over the answer to be read as it comes; only the wait for its beginning
 * is limited. The caller destroys it.
 *
 * @throws {CliError} unreachable
 */
export async function openExchange(
  target: HttpTarget,
  sent: HttpRequest,
): Promise<IncomingMessage> {
  const timeout = AbortSignal.timeout(target.timeoutMs);
  const signal = sent.signal === undefined ? timeout : AbortSignal.any([timeout, sent.signal]);
  try {
    return await send(target, { ...sent, signal });
  } catch (error) {
    throw toFailure(target, error, timeout);
  }
}

async function send(
  { origin, trust, headers }: HttpTarget,
  sent: HttpRequest & { readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const socket = await openSocket(origin, trust, sent.signal);
  const body = sent.body === undefined ? undefined : JSON.stringify(sent.body);
  // node:http even where the socket is TLS: the socket is ready, and `https` would connect again.
  const message = request({
    createConnection: () => socket,
    method: sent.method,
    path: sent.path,
    headers: {
      host: new URL(origin).host,
      ...headers,
      ...sent.headers,
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    },
  });
  message.end(body);
  try {
    const [response] = await once(message, "response", { signal: sent.signal });
    return response;
  } catch (error) {
    message.on("error", () => undefined).destroy();
    throw error;
  }
}

/** Reads what is left of an answer, as long as the signal lets it. */
export async function readAnswer(
  origin: string,
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const onAbort = () => response.destroy(new Error("time-out"));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const text = await readAll(origin, response);
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function readAll(origin: string, response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw unreachable(origin, `more than ${maxAnswerBytes} bytes`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function toFailure({ origin, timeoutMs }: HttpTarget, error: unknown, timeout: AbortSignal): Error {
  return timeout.aborted
    ? unreachable(origin, `time-out after ${timeoutMs} ms`)
    : toConnectionError(origin, error);
}
