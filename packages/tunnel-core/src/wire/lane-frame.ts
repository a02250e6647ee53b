/**
 * Frames of the `lanes` extension: what a lane carries, a pool connection that many users share.
 *
 * Layout: u8 type, u24 length, u32 stream number (big-endian), then that many bytes. The types 1 to
 * 4 are those of `stream-frame.ts`.
 *
 * @see docs/protocol.md, "Lanes"
 */
import { FRAME_DATA, FRAME_FIN, FRAME_OPEN_TCP, FRAME_OPEN_UDP } from "./stream-frame.ts";

export const LANE_OPEN_TCP = FRAME_OPEN_TCP;
export const LANE_OPEN_UDP = FRAME_OPEN_UDP;
export const LANE_DATA = FRAME_DATA;
export const LANE_FIN = FRAME_FIN;
/** The stream is over, both ways; no bytes. */
export const LANE_RESET = 5;
/** The receiver has room for so many more bytes (u32). */
export const LANE_CREDIT = 6;
/** What follows in this direction comes over the pool connection of this id (u32). */
export const LANE_MOVE = 7;
/** Asks for an `ALIVE`; stream 0, no bytes. */
export const LANE_PING = 8;
export const LANE_ALIVE = 9;

export const LANE_HEADER_BYTES = 8;

/** Most bytes of a `LANE_DATA`, and what may be sent of a TCP stream before the first credit. */
export const LANE_WINDOW_BYTES = 65_536;

/** Most bytes that credits may allow to be under way at any moment. */
export const MAX_LANE_WINDOW_BYTES = 16 * 1024 * 1024;

/** The last number that a stream can have. */
export const MAX_LANE_STREAM = 0xffff_ffff;

/** Bytes of what follows a credit and a move. */
export const LANE_VALUE_BYTES = 4;

/** Writes a frame's header at `offset`. */
export function writeLaneHeader(
  out: Buffer,
  offset: number,
  type: number,
  length: number,
  stream: number,
): void {
  out[offset] = type;
  out[offset + 1] = length >>> 16;
  out[offset + 2] = (length >>> 8) & 0xff;
  out[offset + 3] = length & 0xff;
  writeLaneValue(out, offset + 4, stream);
}

/** Writes a u32 at `offset`. */
export function writeLaneValue(out: Buffer, offset: number, value: number): void {
  out[offset] = value >>> 24;
  out[offset + 1] = (value >>> 16) & 0xff;
  out[offset + 2] = (value >>> 8) & 0xff;
  out[offset + 3] = value & 0xff;
}
