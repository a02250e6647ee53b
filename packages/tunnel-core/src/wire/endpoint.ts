import { isIP, isIPv4, isIPv6 } from "node:net";

/** An IP address without brackets and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What stands between a user's address and the place in its range of the port that he came to. */
const PLACE_MARK = "#";

/** The `remote` of a user who came to a port of a range (`ports`). @param place 0 for the first */
export function withPlace(remote: string, place: number): string {
  return place === 0 ? remote : `${remote}${PLACE_MARK}${place}`;
}

/** The user's address in a `remote`, and the place of the port that he came to. */
export function splitPlace(remote: string): { readonly remote: string; readonly place: number } {
  const mark = remote.indexOf(PLACE_MARK);
  if (mark < 0) return { remote, place: 0 };
  return { remote: remote.slice(0, mark), place: Number(remote.slice(mark + 1)) };
}

/**
 * Reads the `remote` of a signal: `1.2.3.4:5` or `[2001:db8::1]:5`, and behind it `#n` for the n-th
 * port after the first of a range (docs/protocol.md, "Port ranges").
 *
 * @returns the address without brackets (an IPv6 zone stays) and the port, or `undefined` if the
 *   text is anything else
 */
export function parseRemote(remote: string): Endpoint | undefined {
  const mark = remote.indexOf(PLACE_MARK);
  if (mark >= 0) {
    const place = parsePort(remote, mark + 1);
    // The first of a range is not said.
    if (place === undefined || place === 0) return undefined;
    return parseRemote(remote.slice(0, mark));
  }
  const colon = remote.lastIndexOf(":");
  if (colon < 1) return undefined;
  const port = parsePort(remote, colon + 1);
  if (port === undefined) return undefined;
  if (remote.charCodeAt(0) === 0x5b) {
    if (remote.charCodeAt(colon - 1) !== 0x5d) return undefined;
    const address = remote.slice(1, colon - 1);
    return isIPv6(address) ? { address, port } : undefined;
  }
  const address = remote.slice(0, colon);
  return isIPv4(address) ? { address, port } : undefined;
}

/** The address of a `remote` that is valid, without brackets. */
export function addressOf(remote: string): string {
  const address = remote.slice(0, Math.max(0, remote.lastIndexOf(":")));
  return address.startsWith("[") ? address.slice(1, -1) : address;
}

/**
 * Writes the `remote` of a signal as a NodePass 1.14 node does: IPv6 in brackets, an IPv4 address
 * that a dual-stack listener reports as `::ffff:1.2.3.4` in its IPv4 form.
 */
export function formatRemote(address: string, port: number): string {
  if (!address.includes(":")) return `${address}:${port}`;
  const plain = unmapAddress(address);
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/** `1.2.3.4` for `::ffff:1.2.3.4`; any other text as it is. */
export function unmapAddress(address: string): string {
  if (address.length < 14 || address.slice(0, 7).toLowerCase() !== "::ffff:") return address;
  const rest = address.slice(7);
  return isIP(rest) === 4 ? rest : address;
}

/** Reads decimal digits up to the end as a port, 0 to 65 535, without a leading zero. */
function parsePort(text: string, from: number): number | undefined {
  const digits = text.length - from;
  if (digits < 1 || digits > 5) return undefined;
  if (digits > 1 && text.charCodeAt(from) === 0x30) return undefined;
  let port = 0;
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    port = port * 10 + digit;
  }
  return port <= 65_535 ? port : undefined;
}
