import { TunnelError } from "../errors.ts";
import {
  LANE_ALIVE,
  LANE_CREDIT,
  LANE_DATA,
  LANE_FIN,
  LANE_HEADER_BYTES,
  LANE_MOVE,
  LANE_OPEN_TCP,
  LANE_OPEN_UDP,
  LANE_PING,
  LANE_RESET,
  LANE_VALUE_BYTES,
  LANE_WINDOW_BYTES,
} from "../wire/lane-frame.ts";
import { MAX_OPEN_BYTES } from "../wire/stream-frame.ts";

/** What a lane's frames say. */
export interface LaneFrameSink {
  /** A data frame of `length` bytes begins; its bytes follow, if there are any. */
  onDataFrame(stream: number, length: number): void;
  /** Bytes of the data frame, at `start` to `end` of `buffer`. */
  onData(buffer: Buffer, start: number, end: number): void;
  onOpen(type: number, stream: number, remote: string): void;
  /** Any other frame. @param value of a credit or a move, else 0 */
  onControl(type: number, stream: number, value: number): void;
}

/**
 * Cuts the bytes of a lane into frames. Data is passed on as it arrives, so a frame is never put
 * together; only headers, values and addresses are, when they are cut.
 *
 * @see docs/protocol.md, "Lanes"
 */
export class LaneFrameDecoder {
  /** Bytes of the present data frame that are still to come. */
  #remaining = 0;
  /** A header or value that came in pieces. */
  readonly #piece = Buffer.allocUnsafe(LANE_HEADER_BYTES);
  #pieceBytes = 0;
  /** The frame whose body is being put together, its bytes to come, and an address so far. */
  #type = 0;
  #stream = 0;
  #bodyBytes = 0;
  #remote = "";

  /**
   * Takes the bytes at `start` to `end`.
   *
   * @throws {TunnelError} `FRAME_INVALID`; the lane is then unusable
   */
  decode(buffer: Buffer, start: number, end: number, sink: LaneFrameSink): void {
    let at = start;
    while (at < end) {
      if (this.#remaining > 0) {
        const stop = Math.min(end, at + this.#remaining);
        this.#remaining -= stop - at;
        sink.onData(buffer, at, stop);
        at = stop;
      } else if (this.#bodyBytes > 0) {
        at = this.#body(buffer, at, end, sink);
      } else if (this.#pieceBytes === 0 && end - at >= LANE_HEADER_BYTES) {
        this.#headed(buffer, at, sink);
        at += LANE_HEADER_BYTES;
      } else {
        this.#piece[this.#pieceBytes++] = buffer[at++] ?? 0;
        if (this.#pieceBytes < LANE_HEADER_BYTES) continue;
        this.#pieceBytes = 0;
        this.#headed(this.#piece, 0, sink);
      }
    }
  }

  #headed(buffer: Buffer, at: number, sink: LaneFrameSink): void {
    const type = buffer[at] ?? 0;
    const length =
      ((buffer[at + 1] ?? 0) << 16) | ((buffer[at + 2] ?? 0) << 8) | (buffer[at + 3] ?? 0);
    const stream = value(buffer, at + 4);
    if (type === LANE_DATA && length <= LANE_WINDOW_BYTES && stream !== 0) {
      this.#remaining = length;
      sink.onDataFrame(stream, length);
      return;
    }
    if (!isPossible(type, length, stream)) {
      throw invalid(`frame of type ${type}, ${length} bytes and stream ${stream}`);
    }
    if (length === 0) {
      sink.onControl(type, stream, 0);
      return;
    }
    this.#type = type;
    this.#stream = stream;
    this.#bodyBytes = length;
    this.#remote = "";
  }

  #body(buffer: Buffer, start: number, end: number, sink: LaneFrameSink): number {
    const stop = Math.min(end, start + this.#bodyBytes);
    const type = this.#type;
    this.#bodyBytes -= stop - start;
    if (type === LANE_OPEN_TCP || type === LANE_OPEN_UDP) {
      this.#remote += buffer.toString("latin1", start, stop);
      if (this.#bodyBytes === 0) sink.onOpen(type, this.#stream, this.#remote);
      return stop;
    }
    for (let at = start; at < stop; at++) this.#piece[this.#pieceBytes++] = buffer[at] ?? 0;
    if (this.#bodyBytes > 0) return stop;
    this.#pieceBytes = 0;
    sink.onControl(type, this.#stream, value(this.#piece, 0));
    return stop;
  }
}

function isPossible(type: number, length: number, stream: number): boolean {
  switch (type) {
    case LANE_OPEN_TCP:
    case LANE_OPEN_UDP:
      return stream !== 0 && length > 0 && length <= MAX_OPEN_BYTES;
    case LANE_FIN:
    case LANE_RESET:
      return stream !== 0 && length === 0;
    case LANE_CREDIT:
    case LANE_MOVE:
      return stream !== 0 && length === LANE_VALUE_BYTES;
    case LANE_PING:
    case LANE_ALIVE:
      return stream === 0 && length === 0;
    default:
      return false;
  }
}

function value(buffer: Buffer, at: number): number {
  const high = ((buffer[at] ?? 0) << 16) | ((buffer[at + 1] ?? 0) << 8) | (buffer[at + 2] ?? 0);
  return high * 256 + (buffer[at + 3] ?? 0);
}

function invalid(what: string): TunnelError {
  return new TunnelError("FRAME_INVALID", `${what} on a lane`);
}
