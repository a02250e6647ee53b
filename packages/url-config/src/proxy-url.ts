import { formatHostPort, readHostPort } from "./host-port.ts";
import type { ProxyAddress } from "./settings.ts";

const protocols = ["http", "socks5"] as const;
const defaultPorts = { http: 80, socks5: 1080 } as const;

/** What a proxy's URL may look like, in words. */
export const proxyForm =
  "http://[user:password@]host[:port] or socks5://[user:password@]host[:port]";

/** Most bytes of a user name or a password (RFC 1929, section 2). */
const mostCredentialBytes = 255;

/** A proxy's URL, or why it is none: never with its user or password in the words. */
export type ProxyUrlResult =
  | { readonly proxy: ProxyAddress }
  | { readonly fault: string; readonly proxy?: undefined };

/**
 * Reads a proxy's URL. `socks5h` is the same as `socks5`: the proxy always resolves the names. The
 * port is 80 or 1080 if there is none; a slash may end it.
 */
export function readProxyUrl(text: string): ProxyUrlResult {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(?:(.*)@)?([^@/?#]*)\/?$/is.exec(text);
  if (match === null) return { fault: "is no URL of a proxy" };
  const [, schemeText = "", userInfo, authority = ""] = match;
  const scheme = schemeText.toLowerCase() === "socks5h" ? "socks5" : schemeText.toLowerCase();
  const protocol = protocols.find((name) => name === scheme);
  if (protocol === undefined) return { fault: `has the scheme ${scheme}, which is not supported` };
  const hasPort = /:\d+$/.test(authority) && !authority.endsWith("]");
  const address = readHostPort(
    hasPort ? authority : `${authority}:${defaultPorts[protocol]}`,
    "proxy address",
  );
  if ("code" in address || address.host === "" || address.port === 0) {
    return { fault: "has no usable host and port" };
  }
  if (userInfo === undefined) return { proxy: { protocol, ...address, credentials: undefined } };
  const colon = userInfo.indexOf(":");
  const user = decode(colon < 0 ? userInfo : userInfo.slice(0, colon));
  const password = decode(colon < 0 ? "" : userInfo.slice(colon + 1));
  if (user === undefined || password === undefined) {
    return { fault: "has a broken percent-escape in its user or password" };
  }
  for (const [name, value] of [
    ["user", user],
    ["password", password],
  ] as const) {
    const bytes = new TextEncoder().encode(value).length;
    if (bytes > mostCredentialBytes) {
      return { fault: `has a ${name} of ${bytes} bytes, more than ${mostCredentialBytes}` };
    }
  }
  if (user === "") return { fault: "has no user before its @" };
  // It would be taken for the end of the name (RFC 7617, section 2).
  if (protocol === "http" && user.includes(":")) return { fault: "has a colon in its user" };
  return { proxy: { protocol, ...address, credentials: { user, password } } };
}

/** Writes a proxy's URL, with user and password: see `redact` before logging. */
export function formatProxyUrl({ protocol, host, port, credentials }: ProxyAddress): string {
  const userInfo =
    credentials === undefined ? "" : `${encode(credentials.user)}:${encode(credentials.password)}@`;
  return `${protocol}://${userInfo}${formatHostPort({ host, port })}`;
}

/** The URL with `***` for user and password; `***` alone if it is not certain where they are. */
export function redactProxyUrl(text: string): string {
  if (text === "none" || text === "env") return text;
  const { proxy } = readProxyUrl(text);
  if (proxy === undefined) return "***";
  const userInfo = proxy.credentials === undefined ? "" : "***@";
  return `${proxy.protocol}://${userInfo}${formatHostPort(proxy)}`;
}

function encode(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Cs}/gu, "\ufffd"));
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // URIError; the caller reports it.
    return undefined;
  }
}
