import { type AskedName, plainName } from "./client-hello.ts";

/** Longest head that is looked at; common servers take no longer one. */
export const MAX_HEAD_BYTES = 16_384;

/** What a request begins with (RFC 9112, section 3). */
const REQUEST = /^[A-Za-z!#$%&'*+.^_`|~-]{1,32} (\S*)(?: HTTP\/1\.[01])?\r?$/;
const METHOD = /^[A-Za-z!#$%&'*+.^_`|~-]{1,32}(?: |$)/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** @see AskedName; `http` also for a request without a host */
export type AskedHost =
  | { readonly is: "http"; readonly name: string | undefined }
  | Exclude<AskedName, { is: "tls" }>;

/**
 * The host of the first HTTP/1 request on a connection: of its target where that is a whole URL (RFC
 * 9112, section 3.2.2), of its field `Host` else. Decided as soon as that line is there.
 *
 * @param bytes of the connection from its first one on
 */
export function httpHostOf(bytes: Buffer): AskedHost {
  const text = bytes.toString("latin1", 0, MAX_HEAD_BYTES);
  // Servers skip an empty line before a request.
  const from = text.startsWith("\r\n") ? 2 : 0;
  const end = text.indexOf("\n", from);
  const more: AskedHost = bytes.length < MAX_HEAD_BYTES ? { is: "more" } : { is: "other" };
  if (end === -1) return METHOD.test(text.slice(from, from + 33)) ? more : { is: "other" };
  const request = REQUEST.exec(text.slice(from, end));
  if (request === null) return { is: "other" };
  const absolute = ABSOLUTE.exec(request[1] ?? "");
  if (absolute !== null) return { is: "http", name: withoutPort(absolute[1] ?? "") };
  for (let at = end + 1; ; ) {
    const next = text.indexOf("\n", at);
    if (next === -1) return more;
    const line = text.slice(at, next).replace(/\r$/, "");
    if (line === "") return { is: "http", name: undefined };
    const host = /^host:[ \t]*(.*?)[ \t]*$/i.exec(line);
    if (host !== null) return { is: "http", name: withoutPort(host[1] ?? "") };
    at = next + 1;
  }
}

/** The host of `[user@]host[:port]`; an IPv6 address without brackets; `undefined` if there is none. */
export function withoutPort(authority: string): string | undefined {
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const name = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1] ?? host.replace(/:\d*$/, "");
  return name === "" ? undefined : plainName(name);
}
