/**
 * Frames of the `streams` extension: what a pool connection carries when it serves one connection
 * after another.
 *
 * Layout: u8 type, u24 length (big-endian), then that many bytes.
 *
 * @see docs/protocol.md, "Streams"
 */

/** Begins a TCP connection (entry to exit); the bytes are the user's address as in a signal. */
export const FRAME_OPEN_TCP = 1;
/** Begins a UDP session; what follows this frame is datagram frames until the connection ends. */
export const FRAME_OPEN_UDP = 2;
/** Bytes of the connection. */
export const FRAME_DATA = 3;
/** The sender's side of the connection has ended; no bytes. */
export const FRAME_FIN = 4;

/** With `lanes`: the pool connection is a lane from now on; no bytes. */
export const FRAME_LANE = 5;
/** With `lanes`: a lane's stream goes on here; the lane's id and the stream's number, u32 each. */
export const FRAME_GO_ON = 6;
/** With `lanes`: the exit may send a `FRAME_GO_ON` on it, the entry opens nothing; no bytes. */
export const FRAME_GRANT = 7;

export const STREAM_HEADER_BYTES = 4;

/** Bytes of a `FRAME_GO_ON`. */
export const GO_ON_BYTES = 8;

/** Most bytes of a `FRAME_DATA`. */
export const MAX_STREAM_FRAME_BYTES = 0xff_ffff;

/** Most bytes of an address in an open frame: an IPv6 address with a zone and a port. */
export const MAX_OPEN_BYTES = 128;

/** Writes a frame's header at `offset`. */
export function writeStreamHeader(out: Buffer, offset: number, type: number, length: number): void {
  out[offset] = type;
  out[offset + 1] = length >>> 16;
  out[offset + 2] = (length >>> 8) & 0xff;
  out[offset + 3] = length & 0xff;
}

/** A header of its own. */
export function streamHeader(type: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(STREAM_HEADER_BYTES);
  writeStreamHeader(header, 0, type, length);
  return header;
}

/** The frame that says that a lane's stream goes on here. */
export function goOnFrame(lane: number, stream: number): Buffer {
  const frame = Buffer.allocUnsafe(STREAM_HEADER_BYTES + GO_ON_BYTES);
  writeStreamHeader(frame, 0, FRAME_GO_ON, GO_ON_BYTES);
  frame.writeUInt32BE(lane, STREAM_HEADER_BYTES);
  frame.writeUInt32BE(stream, STREAM_HEADER_BYTES + 4);
  return frame;
}

/** The frame that begins a connection of the user at `remote`. */
export function openFrame(type: number, remote: string): Buffer {
  const frame = Buffer.allocUnsafe(STREAM_HEADER_BYTES + remote.length);
  writeStreamHeader(frame, 0, type, remote.length);
  frame.write(remote, STREAM_HEADER_BYTES, "latin1");
  return frame;
}
