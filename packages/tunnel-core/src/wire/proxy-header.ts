import { isIPv4, isIPv6, SocketAddress } from "node:net";
import type { Endpoint } from "./endpoint.ts";

/**
 * The PROXY protocol v1 line that an exit with `proxy=1` sends to the target before any data.
 *
 * IPv4-mapped IPv6 addresses count as IPv4, zones are left out. Two families, or something that is
 * no IP address, give `PROXY UNKNOWN`: version 1 cannot say it, and a receiver must then use the
 * connection's own addresses.
 *
 * @param source the user's address
 * @param destination the target as dialled
 * @returns the line with its CRLF, ASCII, at most 107 characters
 * @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt section 2.1
 */
export function proxyHeader(source: Endpoint, destination: Endpoint): string {
  const from = canonicalAddress(source.address);
  const to = canonicalAddress(destination.address);
  const family = isIPv4(from) && isIPv4(to) ? "TCP4" : isIPv6(from) && isIPv6(to) ? "TCP6" : "";
  if (family === "") return "PROXY UNKNOWN\r\n";
  return `PROXY ${family} ${from} ${to} ${source.port} ${destination.port}\r\n`;
}

/** An address in its shortest form: no zone, lower case, IPv4 for IPv4-mapped; else "". */
export function canonicalAddress(address: string): string {
  if (isIPv4(address)) return address;
  const zone = address.indexOf("%");
  const bare = zone < 0 ? address : address.slice(0, zone);
  if (!isIPv6(bare)) return "";
  const shortest = new SocketAddress({ address: bare, family: "ipv6" }).address;
  const mapped = shortest.slice(7);
  return shortest.startsWith("::ffff:") && isIPv4(mapped) ? mapped : shortest;
}
