import { isLoopback } from "@nodepass/url-config";

/** Any origin. */
const ANY = "*";

/**
 * Whether a page may speak to agents' endpoint. The key is what keeps strangers out; this keeps them
 * out where something on the way, such as a proxy of this machine, adds the key by itself: a page can
 * give its own host name this machine's address, and then counts as the same origin (DNS rebinding).
 * So it is the name that has to be known: this machine's, a bare address that is also the one that
 * was asked, or one that was allowed.
 *
 * @param origin the header; browsers alone send one
 * @param host the header of the same request
 * @param allowed host names of pages, or `*`
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports, "Security Warning"
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes(ANY)) return true;
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  const name = hostname.replace(/^\[(.*)\]$/, "$1");
  if (name === "") return false;
  if (isLoopback(name) || allowed.includes(name.toLowerCase())) return true;
  return isAddress(hostname) && hostOf(host) === hostname;
}

/** No name can be given to an address. The URL parser writes each in one way. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d+(?:\.\d+){3}$/.test(hostname);
}

function hostOf(header: string | undefined): string | undefined {
  const url = `http://${header ?? ""}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
