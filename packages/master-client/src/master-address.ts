import { formatHostPort, isWildcard, parseMasterUrl } from "@nodepass/url-config";
import { MasterClientError } from "./client-error.ts";

/** Where a master is. */
export interface MasterAddress {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** Paths that the API may be under, without a final slash, to be tried in this order. */
  readonly basePaths: readonly string[];
}

const defaultPath = "/api";
const allowed = "http://host:port, https://host:port/api, host:port or a master:// URL";

/**
 * Reads what people call a master: `http://host:port`, with or without its prefix and `/v1`,
 * `host:port`, or the `master://` URL that it was started with.
 *
 * @throws {MasterClientError} `INVALID`, without the text: it may hold a key
 * @example
 * const address = parseMasterAddress("https://your.server:9090/api");
 */
export function parseMasterAddress(text: string): MasterAddress {
  if (/^master:\/\//i.test(text)) return fromMasterUrl(text);
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) throw badAddress("is not a URL");
  const { protocol, origin, hostname, pathname, search, hash, username, password } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") throw badAddress("has another scheme");
  if (hostname === "") throw badAddress("has no host");
  if (username !== "" || password !== "") {
    throw badAddress("holds a password: the API key is given apart");
  }
  if (search !== "" || hash !== "") throw badAddress("has a query");
  return { origin, basePaths: listBasePaths(pathname) };
}

function fromMasterUrl(text: string): MasterAddress {
  const { listen, prefix, tls } = parseMasterUrl(text);
  const host = isWildcard(listen.host) ? "127.0.0.1" : listen.host;
  const scheme = tls === 0 ? "http" : "https";
  const { origin } = new URL(`${scheme}://${formatHostPort({ host, port: listen.port })}`);
  return { origin, basePaths: listBasePaths(prefix) };
}

/** Masters answer under their prefix, under `/v1` behind it, or both: some know only one. */
function listBasePaths(pathname: string): string[] {
  const path = pathname.replace(/\/+$/, "") || defaultPath;
  return path.endsWith("/v1") ? [path, path.slice(0, -"/v1".length)] : [`${path}/v1`, path];
}

function badAddress(fault: string): MasterClientError {
  return new MasterClientError("INVALID", `the master's address ${fault}; allowed: ${allowed}`);
}
