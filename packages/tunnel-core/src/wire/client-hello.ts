/** A record that carries a handshake (RFC 8446, section 5.1). */
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const EXTENSION_SERVER_NAME = 0;
const HOST_NAME = 0;
/** Longest plaintext of a record. */
const MAX_RECORD_BYTES = 16_384;
/** Most bytes of a ClientHello that are put together; with all extensions of today it has 2 KiB. */
export const MAX_HELLO_BYTES = 16_384;

/** What the beginning of a connection says of the name that is asked for. */
export type AskedName =
  /** @param name `undefined`: none is given. Lower case, without a final dot */
  | { readonly is: "tls"; readonly name: string | undefined }
  /** Not enough bytes yet. */
  | { readonly is: "more" }
  /** It is something else, or broken. */
  | { readonly is: "other" };

const MORE: AskedName = { is: "more" };
const OTHER: AskedName = { is: "other" };

/**
 * The server name (SNI, RFC 6066 section 3) of a ClientHello that may lie in any number of records.
 * With Encrypted ClientHello this is the outer one's, the public name (RFC 9849): the inner one is
 * for its server alone. Nothing is decrypted, and values that are reserved for greasing (RFC 8701)
 * are passed over like any other that is not asked for here.
 *
 * @param bytes of the connection from its first one on
 */
export function serverNameOf(bytes: Buffer): AskedName {
  const hello = gather(bytes);
  if ("is" in hello) return hello;
  const name = nameIn(hello);
  return name === null ? OTHER : { is: "tls", name };
}

/** The body of the ClientHello, without the headers of its records. */
function gather(bytes: Buffer): Buffer | AskedName {
  const parts: Buffer[] = [];
  let have = 0;
  let needed = 4;
  let length = -1;
  for (let at = 0; have < needed; ) {
    if (at >= bytes.length) return MORE;
    if (bytes[at] !== HANDSHAKE_RECORD) return OTHER;
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return OTHER;
    if (at + 5 > bytes.length) return MORE;
    const record = bytes.readUInt16BE(at + 3);
    if (record === 0 || record > MAX_RECORD_BYTES) return OTHER;
    const part = bytes.subarray(at + 5, Math.min(at + 5 + record, bytes.length));
    parts.push(part);
    have += part.length;
    at += 5 + record;
    if (length === -1 && have >= 4) {
      const start = parts.length === 1 ? part : Buffer.concat(parts);
      if (start[0] !== CLIENT_HELLO) return OTHER;
      length = start.readUIntBE(1, 3);
      if (length > MAX_HELLO_BYTES) return OTHER;
      needed = 4 + length;
    }
  }
  return (parts.length === 1 ? (parts[0] ?? bytes) : Buffer.concat(parts)).subarray(4, needed);
}

/** @returns `null` if its lengths do not agree */
function nameIn(hello: Buffer): string | undefined | null {
  // Version and random; then session id, cipher suites and compression methods with their lengths.
  let at = 34;
  for (const size of [1, 2, 1]) {
    if (at + size > hello.length) return null;
    at += size + hello.readUIntBE(at, size);
  }
  if (at === hello.length) return undefined;
  if (at + 2 > hello.length) return null;
  const end = at + 2 + hello.readUInt16BE(at);
  if (end > hello.length) return null;
  at += 2;
  while (at + 4 <= end) {
    const type = hello.readUInt16BE(at);
    const next = at + 4 + hello.readUInt16BE(at + 2);
    if (next > end) return null;
    if (type === EXTENSION_SERVER_NAME) return hostName(hello.subarray(at + 4, next));
    at = next;
  }
  return at === end ? undefined : null;
}

function hostName(list: Buffer): string | undefined | null {
  if (list.length < 2 || list.readUInt16BE(0) !== list.length - 2) return null;
  for (let at = 2; at + 3 <= list.length; ) {
    const next = at + 3 + list.readUInt16BE(at + 1);
    if (next > list.length) return null;
    if (list[at] === HOST_NAME) return plainName(list.toString("latin1", at + 3, next));
    at = next;
  }
  return undefined;
}

/** A host name as names are compared: lower case, no final dot. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
