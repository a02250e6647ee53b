/** A request as it came, before anybody judges it. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Names lower-case; in order of appearance. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
}

/** An answer with its body (as long as `Content-Length` says). */
export interface Response {
  readonly status: number;
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: string;
}

/** Looks a header up; `undefined` if it is missing. */
export function header(
  headers: ReadonlyArray<readonly [name: string, value: string]>,
  name: string,
): string | undefined {
  return headers.find(([candidate]) => candidate === name)?.[1];
}

function splitHead(text: string): { first: string; headers: Array<[string, string]> } {
  const [first = "", ...lines] = text.split("\r\n");
  return {
    first,
    headers: lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  };
}

/** The request head at the front of `bytes` and its length, or `undefined` if not all is there. */
export function parseRequest(
  bytes: Buffer,
): { readonly head: RequestHead; readonly length: number } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const { first, headers } = splitHead(bytes.toString("latin1", 0, end));
  const [method = "", target = "", version = ""] = first.split(" ");
  return { head: { method, target, version, headers }, length: end + 4 };
}

/** The answer in `bytes`, or `undefined` if not all of it is there. */
export function parseResponse(bytes: Buffer): Response | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const { first, headers } = splitHead(bytes.toString("latin1", 0, end));
  const length = Number(header(headers, "content-length") ?? "0");
  if (bytes.length < end + 4 + length) return undefined;
  const status = Number(first.split(" ")[1] ?? "0");
  return { status, headers, body: bytes.toString("utf8", end + 4, end + 4 + length) };
}

/** The request that the recordings show. */
export function handshakeRequest(host: string, token: string): string {
  return (
    `GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Go-http-client/1.1\r\n` +
    `Authorization: Bearer ${token}\r\nAccept-Encoding: gzip\r\n\r\n`
  );
}

/** The 200 that the recordings show, around its JSON. */
export function handshakeAnswer(
  flow: "-" | "+",
  max: number,
  tls: 0 | 1 | 2,
  type: 0 | 1 | 2 | 3,
): string {
  const body = `{"flow":"${flow}","max":${max},"tls":"${tls}","type":"${type}"}\n`;
  return (
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n" +
    `Date: ${new Date().toUTCString()}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/** A refusal as Go's `http.Error` writes it; the connection stays open. */
export function plainRefusal(status: number, reason: string): string {
  const body = `${reason}\n`;
  return (
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `X-Content-Type-Options: nosniff\r\nDate: ${new Date().toUTCString()}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}
