import { canonicalIpv6, isIpv4, isIpv6 } from "./ip-address.ts";
import type { HostPort } from "./settings.ts";
import { UrlConfigError, type UrlProblem, urlProblem } from "./url-problem.ts";

const longestHostCharacters = 253;
const hostName = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?$/;

/** What an address may look like, in words. */
export const addressForm = "host:port, :port or [IPv6]:port, port 0 to 65535";

/** Whether `text` is a host name: letters, digits, `-`, `_` and dots, not all of it digits. */
export function isHostName(text: string): boolean {
  if (text.length > longestHostCharacters || !hostName.test(text)) return false;
  // A last label of digits only would be taken for a mistyped IPv4 address, as WHATWG URL does.
  return !/(?:^|\.)\d+\.?$/.test(text);
}

/**
 * Whether connections to `host` stay on this machine, as far as the text tells.
 *
 * @example
 * isLoopback("127.0.0.2"); // true
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  const ipv4 = unmapped(name);
  if (isIpv4(ipv4)) return ipv4.startsWith("127.");
  return isIpv6(name) && canonicalIpv6(name) === "::1";
}

/**
 * Whether `host` stands for all interfaces: empty, `0.0.0.0` or `::` in any spelling.
 *
 * @example
 * isWildcard("::"); // true
 */
export function isWildcard(host: string): boolean {
  if (host === "" || unmapped(host.toLowerCase()) === "0.0.0.0") return true;
  return isIpv6(host) && canonicalIpv6(host) === "::";
}

/** Whether two hosts are the same by their text: case, a final dot and IPv6 spelling don't count. */
export function isSameHost(one: string, other: string): boolean {
  return comparable(one) === comparable(other);
}

function comparable(host: string): string {
  const name = unmapped(host.toLowerCase().replace(/\.$/, ""));
  return isIpv6(name) ? canonicalIpv6(name) : name;
}

/** The IPv4 address inside `::ffff:…`, else the text itself. */
function unmapped(host: string): string {
  if (!isIpv6(host)) return host;
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonicalIpv6(host));
  if (match === null) return host;
  const [high, low] = [Number.parseInt(match[1] ?? "", 16), Number.parseInt(match[2] ?? "", 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Most ports of a range: each is bound on its own. */
const mostPorts = 4096;

/** The same with a range of ports, in words. */
const rangeForm = `${addressForm}; a range as host:first-last, ${mostPorts} ports at most`;

/** Reads an address that may have a range of ports, `host:8000-8010`. */
export function readHostPorts(text: string, parameter: string): HostPort | UrlProblem {
  const match = /^(.*:\d{1,5})-(\d{1,5})$/.exec(text);
  if (match === null) return readHostPort(text, parameter);
  const address = readHostPort(match[1] ?? "", parameter);
  if ("code" in address) return address;
  const lastPort = Number(match[2]);
  const { port } = address;
  const fault =
    port === 0
      ? "has a range that begins at port 0"
      : lastPort <= port || lastPort > 65_535 || String(lastPort) !== match[2]
        ? "has an invalid range of ports"
        : lastPort - port >= mostPorts
          ? `has a range of ${lastPort - port + 1} ports`
          : undefined;
  if (fault !== undefined) return urlProblem("INVALID_VALUE", parameter, text, rangeForm, fault);
  return { ...address, lastPort };
}

/** Reads an address for `parameter`; a problem without its message's context otherwise. */
export function readHostPort(text: string, parameter: string): HostPort | UrlProblem {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text);
  if (match === null) {
    const fault = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text)
      ? "has too many colons (an IPv6 address needs brackets)"
      : "is not an address";
    return urlProblem("INVALID_VALUE", parameter, text, addressForm, fault);
  }
  const [, bracketed, plain = "", portText] = match;
  if (portText === undefined || portText === "") {
    return urlProblem("MISSING", parameter, text, addressForm, "has no port");
  }
  const port = /^(?:0|[1-9]\d{0,4})$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65_535)) {
    return urlProblem("INVALID_VALUE", parameter, text, addressForm, "has an invalid port");
  }
  // RFC 6874: the % before a zone is written %25 in a URL.
  const host = bracketed === undefined ? plain : bracketed.replace("%25", "%");
  const valid =
    bracketed === undefined ? host === "" || isIpv4(host) || isHostName(host) : isIpv6(host);
  if (!valid) {
    return urlProblem("INVALID_VALUE", parameter, text, addressForm, "has an invalid host");
  }
  return { host, port };
}

/**
 * Reads `host:port`, `:port` or `[v6]:port`; the host comes without brackets.
 *
 * @throws {UrlConfigError} `INVALID_URL` if it is none of them
 * @example
 * parseHostPort("[::1]:80"); // {"host":"::1","port":80}
 */
export function parseHostPort(text: string): HostPort {
  const result = readHostPort(text, "address");
  if ("code" in result) throw new UrlConfigError("INVALID_URL", [result]);
  return result;
}

/** Writes a target as a URL has it, with its weight. */
export function formatTarget(target: HostPort): string {
  const { weight = 1 } = target;
  return weight === 1 ? formatHostPort(target) : `${formatHostPort(target)}*${weight}`;
}

/**
 * Writes an address as a URL has it, with its range of ports: IPv6 in brackets, the `%` of a zone as `%25`.
 *
 * @example
 * formatHostPort({ host: "::1", port: 80 }); // "[::1]:80"
 */
export function formatHostPort({ host, port, lastPort }: HostPort): string {
  const ports = lastPort === undefined ? String(port) : `${port}-${lastPort}`;
  return host.includes(":") ? `[${host.replace("%", "%25")}]:${ports}` : `${host}:${ports}`;
}
