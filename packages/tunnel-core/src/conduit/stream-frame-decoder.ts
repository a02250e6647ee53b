import { TunnelError } from "../errors.ts";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_GO_ON,
  FRAME_GRANT,
  FRAME_LANE,
  FRAME_OPEN_TCP,
  FRAME_OPEN_UDP,
  GO_ON_BYTES,
  MAX_OPEN_BYTES,
  STREAM_HEADER_BYTES,
} from "../wire/stream-frame.ts";

/** What a pool connection's frames say. */
export interface StreamFrameSink {
  /** Bytes of the connection, at `start` to `end` of `buffer`. */
  onData(buffer: Buffer, start: number, end: number): void;
  /** The peer's side has ended. @returns false to leave the rest of the buffer for later */
  onFin(): boolean;
  /**
   * An idle connection becomes something; the rest of the buffer is left for later.
   *
   * @param body the frame's bytes, one a character
   */
  onOpen(type: number, body: string): void;
}

/**
 * Cuts the bytes of a pool connection into frames (docs/protocol.md, "Streams"). Data is passed on
 * as it arrives, so a frame is never put together; only headers and addresses are, in 4 and at
 * most 128 bytes.
 */
export class StreamFrameDecoder {
  /** Bytes of the present data frame that are still to come. */
  #remaining = 0;
  #header = 0;
  #headerBytes = 0;
  #openType = 0;
  #openBytes = 0;
  #open = "";

  /**
   * Takes the bytes at `start` to `end`.
   *
   * @returns where it stopped: `end`, or before it when the sink wants the rest later
   * @throws {TunnelError} `FRAME_INVALID`; the connection is then unusable
   */
  decode(buffer: Buffer, start: number, end: number, sink: StreamFrameSink): number {
    let at = start;
    while (at < end) {
      if (this.#remaining > 0) {
        const stop = Math.min(end, at + this.#remaining);
        this.#remaining -= stop - at;
        sink.onData(buffer, at, stop);
        at = stop;
      } else if (this.#openType !== 0) {
        const stop = Math.min(end, at + this.#openBytes);
        this.#open += buffer.toString("latin1", at, stop);
        this.#openBytes -= stop - at;
        at = stop;
        if (this.#openBytes > 0) continue;
        const type = this.#openType;
        this.#openType = 0;
        sink.onOpen(type, this.#open);
        return at;
      } else {
        this.#header = ((this.#header << 8) | (buffer[at] ?? 0)) >>> 0;
        at++;
        if (++this.#headerBytes === STREAM_HEADER_BYTES && !this.#headed(sink)) return at;
      }
    }
    return at;
  }

  #headed(sink: StreamFrameSink): boolean {
    const type = this.#header >>> 24;
    const length = this.#header & 0xff_ffff;
    this.#header = 0;
    this.#headerBytes = 0;
    if (type === FRAME_DATA) {
      this.#remaining = length;
    } else if (type === FRAME_FIN && length === 0) {
      return sink.onFin();
    } else if ((type === FRAME_LANE || type === FRAME_GRANT) && length === 0) {
      sink.onOpen(type, "");
      return false;
    } else if (type === FRAME_GO_ON && length === GO_ON_BYTES) {
      this.#expect(type, length);
    } else if ((type === FRAME_OPEN_TCP || type === FRAME_OPEN_UDP) && length > 0) {
      if (length > MAX_OPEN_BYTES) throw invalid(`address of ${length} bytes in an open frame`);
      this.#expect(type, length);
    } else {
      throw invalid(`frame of type ${type} and ${length} bytes`);
    }
    return true;
  }

  #expect(type: number, length: number): void {
    this.#openType = type;
    this.#openBytes = length;
    this.#open = "";
  }
}

function invalid(what: string): TunnelError {
  return new TunnelError("FRAME_INVALID", `${what} on a pool connection`);
}
