import { MASK_BYTES, writeMaskingKey } from "./websocket-mask.ts";

/**
 * Headers of WebSocket frames (RFC 6455, section 5.2).
 *
 * Layout: u8 fin, three reserved bits and opcode; u8 mask bit and length (126: u16 follows, 127: u64
 * follows, big-endian); with the mask bit four bytes of masking key.
 */

export const OPCODE_CONTINUATION = 0x0;
export const OPCODE_TEXT = 0x1;
export const OPCODE_BINARY = 0x2;
export const OPCODE_CLOSE = 0x8;
export const OPCODE_PING = 0x9;
export const OPCODE_PONG = 0xa;

/** Most payload of a close, ping or pong (section 5.5). */
export const MAX_CONTROL_BYTES = 125;

/** The stream has ended as it should. */
export const CLOSE_NORMAL = 1000;
/** The end point goes away (a server that stops). */
export const CLOSE_GOING_AWAY = 1001;
/** The peer broke the protocol. */
export const CLOSE_PROTOCOL_ERROR = 1002;
/** A text message, which this end does not take. */
export const CLOSE_UNSUPPORTED = 1003;
/** A reason that is no UTF-8. */
export const CLOSE_INVALID_TEXT = 1007;
/** A message longer than this end can count. */
export const CLOSE_TOO_BIG = 1009;

const FIN = 0x80;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Bytes of the header of a frame with that much payload. */
export function webSocketHeaderBytes(length: number, masked: boolean): number {
  const extended = length < LENGTH_16 ? 0 : length <= 0xffff ? 2 : 8;
  return 2 + extended + (masked ? MASK_BYTES : 0);
}

/**
 * Writes the header of a whole (unfragmented) frame so that it ends at `end`, where the payload
 * begins: so the header goes into head room before a payload that stays where it is.
 *
 * @param masked puts a fresh masking key into the last four bytes; mask the payload with it
 * @returns where the header begins
 */
export function writeWebSocketHeader(
  out: Buffer,
  end: number,
  opcode: number,
  length: number,
  masked: boolean,
): number {
  const start = end - webSocketHeaderBytes(length, masked);
  const mask = masked ? MASKED : 0;
  out[start] = FIN | opcode;
  if (length < LENGTH_16) {
    out[start + 1] = mask | length;
  } else if (length <= 0xffff) {
    out[start + 1] = mask | LENGTH_16;
    out.writeUInt16BE(length, start + 2);
  } else {
    out[start + 1] = mask | LENGTH_64;
    out.writeUInt32BE(Math.floor(length / 2 ** 32), start + 2);
    out.writeUInt32BE(length >>> 0, start + 6);
  }
  if (masked) writeMaskingKey(out, end - MASK_BYTES);
  return start;
}
