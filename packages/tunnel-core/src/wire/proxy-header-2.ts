import { isIPv4 } from "node:net";
import type { Endpoint } from "./endpoint.ts";
import { canonicalAddress } from "./proxy-header.ts";

/** What a header of version 2 begins with. */
const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
/** Bytes before addresses and TLVs. */
const FIXED_BYTES = 16;
/** Version 2 with the command LOCAL, and PROXY. */
const LOCAL = 0x20;
const PROXY = 0x21;
const INET = 0x10;
const INET6 = 0x20;
const STREAM = 1;
const DGRAM = 2;
/** The name that the user asked for: of SNI, or of HTTP's Host. */
const TYPE_AUTHORITY = 0x02;
/** Most bytes after the fixed part that are read; HAProxy's own headers have some 200. */
const MAX_REST_BYTES = 4096;
/** A line of version 1 with its CRLF (section 2.1). */
const MAX_LINE_BYTES = 107;

/** What a header says. */
export interface ProxiedFrom {
  /** Bytes of the header. */
  readonly bytes: number;
  /** The user; `undefined`: the sender speaks for itself, or does not know. */
  readonly source: Endpoint | undefined;
  /** The name that the user asked for, if the sender says so. */
  readonly authority: string | undefined;
}

/**
 * The PROXY protocol header of version 2, as bytes in a latin1 text.
 *
 * Of two families both are written as IPv6 (RFC 4291, section 2.5.5.2), so that the user's address is
 * not lost. Something that is no IP address gives the command LOCAL.
 *
 * @param source the user's address
 * @param destination the target as dialled
 * @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt section 2.2
 */
export function proxyHeader2(
  source: Endpoint,
  destination: Endpoint,
  transport: "tcp" | "udp",
  authority?: string,
): string {
  const from = canonicalAddress(source.address);
  const to = canonicalAddress(destination.address);
  if (from === "" || to === "") return head(LOCAL, 0, Buffer.alloc(0)).toString("latin1");
  const is4 = isIPv4(from) && isIPv4(to);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const addresses = [from, to].map((address) => (is4 ? bytes4(address) : bytes6(address)));
  const rest = Buffer.concat([...addresses, ports, tlv(TYPE_AUTHORITY, authority)]);
  const family = (is4 ? INET : INET6) | (transport === "tcp" ? STREAM : DGRAM);
  return head(PROXY, family, rest).toString("latin1");
}

function head(command: number, family: number, rest: Buffer): Buffer {
  const fixed = Buffer.alloc(FIXED_BYTES);
  SIGNATURE.copy(fixed);
  fixed[12] = command;
  fixed[13] = family;
  fixed.writeUInt16BE(rest.length, 14);
  return Buffer.concat([fixed, rest]);
}

function tlv(type: number, text: string | undefined): Buffer {
  if (text === undefined) return Buffer.alloc(0);
  const value = Buffer.from(text, "utf8");
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}

function bytes4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

/** IPv4 as `::ffff:…`. */
function bytes6(address: string): Buffer {
  if (isIPv4(address))
    return Buffer.concat([Buffer.alloc(10), Buffer.from([255, 255]), bytes4(address)]);
  const [front = "", back] = address.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(front), back === undefined ? [] : groups(back)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0);
  const bytes = Buffer.alloc(16);
  for (const [at, group] of [...first, ...zeros, ...last].entries())
    bytes.writeUInt16BE(group, 2 * at);
  return bytes;
}

/**
 * Reads a header of version 1 or 2 at the front of `bytes`.
 *
 * @returns what it says; `more` while it is not whole; `none` if the bytes are no header
 */
export function readProxyHeader(bytes: Buffer): ProxiedFrom | "more" | "none" {
  if (bytes.length === 0) return "more";
  if (bytes[0] === SIGNATURE[0]) return readVersion2(bytes);
  return readVersion1(bytes);
}

const LINE =
  /^PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?|(TCP4|TCP6|UDP4|UDP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (\d{1,5}) (\d{1,5}))\r\n$/;

function readVersion1(bytes: Buffer): ProxiedFrom | "more" | "none" {
  const end = bytes.subarray(0, MAX_LINE_BYTES).indexOf("\r\n", 0, "latin1");
  if (end === -1) {
    const begins = "PROXY ".startsWith(bytes.toString("latin1", 0, Math.min(6, bytes.length)));
    return begins && bytes.length < MAX_LINE_BYTES ? "more" : "none";
  }
  const match = LINE.exec(bytes.toString("latin1", 0, end + 2));
  if (match === null) return "none";
  const [, family, from = "", , port = ""] = match;
  const header = { bytes: end + 2, authority: undefined };
  if (family === undefined) return { ...header, source: undefined };
  const address = canonicalAddress(from);
  const fits = address !== "" && isIPv4(from) === family.endsWith("4") && Number(port) <= 65_535;
  return fits ? { ...header, source: { address, port: Number(port) } } : "none";
}

function readVersion2(bytes: Buffer): ProxiedFrom | "more" | "none" {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, known, 0, known) !== 0) return "none";
  if (bytes.length < FIXED_BYTES) return "more";
  const command = bytes[12] ?? 0;
  const length = bytes.readUInt16BE(14);
  if ((command !== LOCAL && command !== PROXY) || length > MAX_REST_BYTES) return "none";
  const end = FIXED_BYTES + length;
  if (bytes.length < end) return "more";
  const nothing = { bytes: end, source: undefined, authority: undefined };
  if (command === LOCAL) return nothing;
  const family = (bytes[13] ?? 0) & 0xf0;
  const size = family === INET ? 4 : family === INET6 ? 16 : 0;
  // UNSPEC and UNIX: the connection's own addresses count (section 2.2).
  if (size === 0) return nothing;
  const ports = FIXED_BYTES + 2 * size;
  if (ports + 4 > end) return "none";
  const address = addressAt(bytes, FIXED_BYTES, size);
  return {
    bytes: end,
    source: { address, port: bytes.readUInt16BE(ports) },
    authority: authorityIn(bytes.subarray(ports + 4, end)),
  };
}

function addressAt(bytes: Buffer, at: number, size: number): string {
  if (size === 4) return bytes.subarray(at, at + 4).join(".");
  const groups = Array.from({ length: 8 }, (_, group) =>
    bytes.readUInt16BE(at + 2 * group).toString(16),
  );
  return canonicalAddress(groups.join(":"));
}

function authorityIn(tlvs: Buffer): string | undefined {
  for (let at = 0; at + 3 <= tlvs.length; ) {
    const end = at + 3 + tlvs.readUInt16BE(at + 1);
    if (end > tlvs.length) return undefined;
    if (tlvs[at] === TYPE_AUTHORITY) return tlvs.toString("utf8", at + 3, end);
    at = end;
  }
  return undefined;
}
