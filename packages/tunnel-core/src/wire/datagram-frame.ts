import { TunnelError } from "../errors.ts";

/** Largest payload of a UDP datagram over IPv4: 65 535 less 20 bytes of IP and 8 of UDP header. */
export const MAX_DATAGRAM_BYTES = 65_507;

/** Bytes before each payload. */
export const FRAME_HEADER_BYTES = 2;

/** First size of the buffer for a datagram that was cut; it grows to what arrives. */
const FIRST_BUFFER_BYTES = 2048;

const EMPTY = Buffer.alloc(0);

/**
 * Writes a frame's header, so that several frames can be gathered in one buffer.
 *
 * Layout: u16 length (big-endian), then that many bytes of payload, which the caller copies to
 * `offset + FRAME_HEADER_BYTES`.
 *
 * @param out receives two bytes at `offset`
 * @param length of the payload, 0 to 65 507
 * @throws {TunnelError} `FRAME_INVALID` if `length` is out of range
 * @see docs/protocol.md, "Datagram frames"
 */
export function writeFrameHeader(out: Buffer, offset: number, length: number): void {
  if (!(length >= 0 && length <= MAX_DATAGRAM_BYTES)) throw frameTooLong(length);
  out[offset] = length >>> 8;
  out[offset + 1] = length & 0xff;
}

/**
 * Cuts a byte stream into the datagrams that were framed into it.
 *
 * Keeps at most one datagram (65 507 bytes), in a buffer of its own that is made when first needed
 * and grows with the datagrams that arrive in pieces.
 *
 * @see docs/protocol.md, "Datagram frames"
 */
export class DatagramDecoder {
  #partial = EMPTY;
  /** Payload bytes in `#partial`. */
  #have = 0;
  /** Payload length; while the header is incomplete -1, or -2 less the header's first byte. */
  #length = NO_HEADER;

  /**
   * Takes the next bytes of the stream.
   *
   * @param chunk may be reused by the caller after the call
   * @param onDatagram called in order for each whole datagram, with a view of `chunk` or of the
   *   decoder's buffer that is valid only during the call; must not throw nor call `push`
   * @throws {TunnelError} `FRAME_INVALID` for a length over 65 507; the stream is then unusable
   */
  push(chunk: Buffer, onDatagram: (payload: Buffer) => void): void {
    let at = 0;
    if (this.#length !== NO_HEADER) at = this.#resume(chunk, onDatagram);
    while (at < chunk.length) {
      const high = chunk[at] ?? 0;
      if (at + 1 === chunk.length) {
        this.#length = NO_HEADER - 1 - high;
        return;
      }
      const length = checkedLength((high << 8) | (chunk[at + 1] ?? 0));
      const start = at + FRAME_HEADER_BYTES;
      at = start + length;
      if (at > chunk.length) {
        this.#length = length;
        this.#append(chunk, start, chunk.length);
        return;
      }
      onDatagram(chunk.subarray(start, at));
    }
  }

  /** Goes on with a frame that an earlier chunk began; returns where in `chunk` it ends. */
  #resume(chunk: Buffer, onDatagram: (payload: Buffer) => void): number {
    if (chunk.length === 0) return 0;
    let at = 0;
    if (this.#length < NO_HEADER) {
      const high = NO_HEADER - 1 - this.#length;
      this.#length = checkedLength((high << 8) | (chunk[0] ?? 0));
      at = 1;
    }
    const end = at + this.#length - this.#have;
    if (end > chunk.length) {
      this.#append(chunk, at, chunk.length);
      return chunk.length;
    }
    let payload: Buffer;
    if (this.#have === 0) {
      payload = chunk.subarray(at, end);
    } else {
      this.#append(chunk, at, end);
      payload = this.#partial.subarray(0, this.#have);
    }
    this.#length = NO_HEADER;
    this.#have = 0;
    onDatagram(payload);
    return end;
  }

  #append(chunk: Buffer, start: number, end: number): void {
    const needed = this.#have + end - start;
    if (needed > this.#partial.length) {
      const size = Math.min(MAX_DATAGRAM_BYTES, powerOfTwo(needed));
      const larger = Buffer.allocUnsafeSlow(size);
      this.#partial.copy(larger, 0, 0, this.#have);
      this.#partial = larger;
    }
    chunk.copy(this.#partial, this.#have, start, end);
    this.#have = needed;
  }
}

const NO_HEADER = -1;

function powerOfTwo(bytes: number): number {
  return bytes <= FIRST_BUFFER_BYTES ? FIRST_BUFFER_BYTES : 2 ** (32 - Math.clz32(bytes - 1));
}

function checkedLength(length: number): number {
  if (length > MAX_DATAGRAM_BYTES) throw frameTooLong(length);
  return length;
}

function frameTooLong(length: number): TunnelError {
  return new TunnelError(
    "FRAME_INVALID",
    `datagram of ${length} bytes is not between 0 and ${MAX_DATAGRAM_BYTES}`,
  );
}
