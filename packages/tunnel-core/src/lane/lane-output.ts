import type { ByteStream } from "../stream/byte-stream.ts";
import type { Flushable, FlushQueue } from "../stream/flush-queue.ts";
import { HEAD_ROOM_BYTES } from "../stream/relay-buffers.ts";
import {
  LANE_DATA,
  LANE_HEADER_BYTES,
  LANE_VALUE_BYTES,
  LANE_WINDOW_BYTES,
  writeLaneHeader,
  writeLaneValue,
} from "../wire/lane-frame.ts";

/** Frames gathered before they are written: at least one of the largest. */
const GATHER_BYTES = LANE_WINDOW_BYTES + 256;
/** Bytes that wait in a lane from which on its users keep theirs. */
const MAX_PENDING_BYTES = 256 * 1024;

/**
 * What a lane sends. The frames of one turn of the loop go in one write at its end; data goes at once
 * where nothing else is gathered and the one who sent last sends again: he is alone, so nobody's frame
 * would join his.
 */
export class LaneOutput implements Flushable {
  flushQueued = false;
  readonly #carrier: ByteStream;
  readonly #flushes: FlushQueue;
  #gather: Buffer | undefined;
  #end = HEAD_ROOM_BYTES;
  /** Whose data went last. */
  #last = 0;

  constructor(carrier: ByteStream, flushes: FlushQueue) {
    this.#carrier = carrier;
    this.#flushes = flushes;
  }

  /** Whether it takes data; else `Lane.onDrain` comes. */
  get takes(): boolean {
    return this.#carrier.pendingBytes < MAX_PENDING_BYTES;
  }

  /** Sends a copy of `length` bytes, at most a frame's. */
  data(stream: number, buffer: Buffer, start: number, length: number): void {
    const out = this.#room(LANE_HEADER_BYTES + length);
    const at = this.#end;
    writeLaneHeader(out, at, LANE_DATA, length, stream);
    buffer.copy(out, at + LANE_HEADER_BYTES, start, start + length);
    this.#end = at + LANE_HEADER_BYTES + length;
    if (this.#last === stream && !this.flushQueued) {
      this.flush();
      return;
    }
    this.#last = stream;
    this.#flushes.add(this);
  }

  control(type: number, stream: number): void {
    writeLaneHeader(this.#room(LANE_HEADER_BYTES), this.#end, type, 0, stream);
    this.#end += LANE_HEADER_BYTES;
    this.#flushes.add(this);
  }

  value(type: number, stream: number, value: number): void {
    const out = this.#room(LANE_HEADER_BYTES + LANE_VALUE_BYTES);
    writeLaneHeader(out, this.#end, type, LANE_VALUE_BYTES, stream);
    writeLaneValue(out, this.#end + LANE_HEADER_BYTES, value);
    this.#end += LANE_HEADER_BYTES + LANE_VALUE_BYTES;
    this.#flushes.add(this);
  }

  open(type: number, stream: number, remote: string): void {
    const out = this.#room(LANE_HEADER_BYTES + remote.length);
    writeLaneHeader(out, this.#end, type, remote.length, stream);
    out.write(remote, this.#end + LANE_HEADER_BYTES, "latin1");
    this.#end += LANE_HEADER_BYTES + remote.length;
    this.#flushes.add(this);
  }

  #room(bytes: number): Buffer {
    if (this.#end + bytes > HEAD_ROOM_BYTES + GATHER_BYTES) this.#write();
    this.#gather ??= Buffer.allocUnsafeSlow(HEAD_ROOM_BYTES + GATHER_BYTES);
    return this.#gather;
  }

  /** End of the turn. What waits in the carrier is joined by more until it has drained. */
  flush(): void {
    if (this.#carrier.pendingBytes === 0) this.#write();
  }

  /** Writes what is gathered, whatever waits before it. */
  finish(): void {
    this.#write();
  }

  #write(): void {
    const gather = this.#gather;
    const length = this.#end - HEAD_ROOM_BYTES;
    if (gather === undefined || length === 0) return;
    this.#end = HEAD_ROOM_BYTES;
    const carrier = this.#carrier;
    if (carrier.destroyed) return;
    const bytes = gather.subarray(HEAD_ROOM_BYTES, HEAD_ROOM_BYTES + length);
    if (!carrier.writesAtOnce) carrier.writeCopy(bytes, length);
    // What is not written at once is in use until it is.
    else if (!carrier.write(bytes, HEAD_ROOM_BYTES)) this.#gather = undefined;
  }
}
