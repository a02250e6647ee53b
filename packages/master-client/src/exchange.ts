import { toConnectionError, unreachable } from "./connection-error.ts";

/** What a client asks of `fetch`. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Redirects are answers: the key goes to nobody else. */
  readonly redirect: "manual";
  readonly credentials: "omit";
  readonly cache: "no-store";
}

/** How requests go out: the platform's `fetch`, or one of `@nodepass/master-client/node`. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

/** Where requests go, and how. */
export interface HttpTarget {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  readonly fetch: Fetch;
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
  readonly headers: Headers;
  readonly text: string;
}

/** An answer of this size has ten thousands of instances; a longer one is cut off, bytes. */
const maxAnswerBytes = 64 * 1024 * 1024;

/**
 * Sends a request and reads the whole answer.
 *
 * @throws {MasterClientError} `UNREACHABLE`
 */
export async function exchange(target: HttpTarget, sent: HttpRequest): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(target.timeoutMs);
  const signal = sent.signal === undefined ? timeout : AbortSignal.any([timeout, sent.signal]);
  try {
    return await readAnswer(target.origin, await send(target, sent, signal));
  } catch (error) {
    throw toFailure(target, error, timeout.aborted);
  }
}

/** An answer that is read as it comes. */
export interface OpenAnswer {
  readonly response: Response;
  /** Ends it. */
  close(): void;
}

/**
 * Sends a request and hands over the answer to be read as it comes; only the wait for its beginning
 * is limited. The caller closes it.
 *
 * @throws {MasterClientError} `UNREACHABLE`
 */
export async function openExchange(target: HttpTarget, sent: HttpRequest): Promise<OpenAnswer> {
  const ended = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    ended.abort();
  }, target.timeoutMs);
  const signal =
    sent.signal === undefined ? ended.signal : AbortSignal.any([ended.signal, sent.signal]);
  try {
    const response = await send(target, sent, signal);
    return { response, close: () => ended.abort() };
  } catch (error) {
    throw toFailure(target, error, isLate);
  } finally {
    clearTimeout(timer);
  }
}

function send(
  { origin, fetch, headers }: HttpTarget,
  sent: HttpRequest,
  signal: AbortSignal,
): Promise<Response> {
  const hasBody = sent.body !== undefined;
  return fetch(`${origin}${sent.path}`, {
    method: sent.method,
    headers: {
      ...headers,
      ...sent.headers,
      ...(hasBody && { "content-type": "application/json" }),
    },
    ...(hasBody && { body: JSON.stringify(sent.body) }),
    signal,
    redirect: "manual",
    credentials: "omit",
    cache: "no-store",
  });
}

/** Reads what is left of an answer. */
export async function readAnswer(origin: string, response: Response): Promise<HttpAnswer> {
  const { status, headers } = response;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > maxAnswerBytes) {
      // It may fail at once; nobody waits for more of it.
      void reader.cancel().catch(() => undefined);
      throw unreachable(origin, `more than ${maxAnswerBytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
  return { status, headers, text: text + decoder.decode() };
}

function toFailure({ origin, timeoutMs }: HttpTarget, error: unknown, isLate: boolean): Error {
  return isLate
    ? unreachable(origin, `time-out after ${timeoutMs} ms`)
    : toConnectionError(origin, error);
}
