import { createHmac, timingSafeEqual } from "node:crypto";
import { TunnelError } from "../errors.ts";

export { HELLO_WINDOW_COUNTERS, HelloWindow } from "./hello-window.ts";

/** First byte of a hello: 'N', neither a TLS record (0x16) nor an HTTP `GET` (0x47). */
export const HELLO_MAGIC = 0x4e;

/** Version of the layout. */
const HELLO_VERSION = 1;

/** Bytes of a hello: magic, version, session id (8), counter (4), MAC (16). */
export const HELLO_BYTES = 30;

const SESSION_BYTES = 8;
const SIGNED_BYTES = 14;
const MAC_BYTES = HELLO_BYTES - SIGNED_BYTES;
/** Highest counter; before it is exceeded the client does a new handshake. */
export const MAX_HELLO_COUNTER = 0xffff_ffff;

/** A hello as read, not yet verified. Holds no view of the bytes it was read from. */
export interface PoolHello {
  /** Sixteen lower-case hex digits. */
  readonly session: string;
  /** 0 for the control connection; each further connection has one more. */
  readonly counter: number;
  /** Sixteen bytes. */
  readonly mac: Buffer;
}

/**
 * Makes the writer of a client's hellos in one session.
 *
 * Layout: u8 0x4E, u8 version 1, 8 bytes session id, u32 counter (big-endian), 16 bytes MAC: the
 * first half of HMAC-SHA256 under the session key over the 14 bytes before it.
 *
 * @param session the eight bytes of the session id
 * @param sessionKey 32 bytes from `sessionKey()`
 * @returns a function from a counter, 0 to 2^32-1 and never twice, to a fresh buffer that the caller owns
 * @throws {TunnelError} `HELLO_INVALID` if the session id has not 8 bytes; the writer throws it for
 *   a counter out of range
 * @see docs/protocol.md, "Pool hello"
 */
export function createHelloWriter(
  session: Buffer,
  sessionKey: Buffer,
): (counter: number) => Buffer {
  if (session.length !== SESSION_BYTES) {
    throw new TunnelError("HELLO_INVALID", `session id of ${session.length} bytes is not of 8`);
  }
  const head = Buffer.allocUnsafe(SIGNED_BYTES);
  head[0] = HELLO_MAGIC;
  head[1] = HELLO_VERSION;
  head.set(session, 2);
  return (counter) => {
    if (!Number.isInteger(counter) || counter < 0 || counter > MAX_HELLO_COUNTER) {
      throw new TunnelError(
        "HELLO_INVALID",
        `counter ${counter} is not from 0 to ${MAX_HELLO_COUNTER}`,
      );
    }
    head.writeUInt32BE(counter, 10);
    const hello = Buffer.allocUnsafe(HELLO_BYTES);
    hello.set(head, 0);
    hello.set(mac(sessionKey, head), SIGNED_BYTES);
    return hello;
  };
}

/**
 * Reads a hello from the front of `bytes`.
 *
 * @param bytes what has arrived so far; what follows the hello is the connection's data
 * @returns the hello, or `undefined` if it is incomplete; a complete one has `HELLO_BYTES`
 * @throws {TunnelError} `HELLO_INVALID` at the first byte that no hello of this version has
 */
export function parseHello(bytes: Uint8Array): PoolHello | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes[0] !== HELLO_MAGIC) throw new TunnelError("HELLO_INVALID", "this is no pool hello");
  if (bytes.length === 1) return undefined;
  if (bytes[1] !== HELLO_VERSION) {
    throw new TunnelError(
      "HELLO_INVALID",
      `pool hello of version ${bytes[1]} is not of version ${HELLO_VERSION}`,
    );
  }
  if (bytes.length < HELLO_BYTES) return undefined;
  const hello = Buffer.from(bytes.subarray(0, HELLO_BYTES));
  return {
    session: hello.toString("hex", 2, 2 + SESSION_BYTES),
    counter: hello.readUInt32BE(10),
    mac: hello.subarray(SIGNED_BYTES),
  };
}

/** Checks a hello's MAC in constant time. */
export function verifyHello(hello: PoolHello, sessionKey: Buffer): boolean {
  const head = Buffer.allocUnsafe(SIGNED_BYTES);
  head[0] = HELLO_MAGIC;
  head[1] = HELLO_VERSION;
  head.write(hello.session, 2, SESSION_BYTES, "hex");
  head.writeUInt32BE(hello.counter, 10);
  return hello.mac.length === MAC_BYTES && timingSafeEqual(mac(sessionKey, head), hello.mac);
}

/** The id that both ends call a proved pool connection by: its counter as eight hex digits. */
export function poolId(counter: number): string {
  return counter.toString(16).padStart(8, "0");
}

function mac(sessionKey: Buffer, head: Buffer): Buffer {
  return createHmac("sha256", sessionKey).update(head).digest().subarray(0, MAC_BYTES);
}
