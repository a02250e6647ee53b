import type { ApiAnswer } from "@nodepass/fleet-protocol";

/** Of one connection each, not of what is passed over several (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What opens a master: a fleet's token has no business at one. */
const KEYS = new Set(["authorization", "x-api-key"]);

/** The headers of a passed request; what can't be a header is left out. */
export function passedHeaders(
  list: readonly (readonly [string, string])[],
  { withKeys }: { readonly withKeys: boolean },
): Headers {
  const headers = new Headers();
  for (const [name, value] of list) {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || (!withKeys && KEYS.has(lower))) continue;
    try {
      headers.append(lower, value);
    } catch {
      // An HTTP server would not have taken it from a client either.
    }
  }
  return headers;
}

/** The headers of an answer, each cookie for itself. */
export function toHeaderList(headers: Headers): ApiAnswer["headers"] {
  const list: ApiAnswer["headers"] = [];
  for (const [name, value] of headers) {
    if (!HOP_BY_HOP.has(name)) list.push([name, value]);
  }
  return list;
}
