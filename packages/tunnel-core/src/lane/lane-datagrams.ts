import type { ByteStream, Lease, StreamReader } from "../stream/byte-stream.ts";
import { OWNED } from "../stream/byte-stream.ts";
import { CarriedStream } from "../stream/carried-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import type { WaitingDatagrams } from "../udp/waiting-datagrams.ts";
import { DatagramDecoder, FRAME_HEADER_BYTES } from "../wire/datagram-frame.ts";
import { LANE_FIN, LANE_RESET, LANE_WINDOW_BYTES } from "../wire/lane-frame.ts";
import type { Lane, LaneMember } from "./lane.ts";

/** Most bytes kept for a session whose target is still being opened. */
const MAX_HELD_BYTES = 256 * 1024;

/** What all UDP sessions of a tunnel share. */
export interface DatagramBounds {
  /** The bound of what waits. */
  readonly waiting: WaitingDatagrams;
  onDropped(datagrams: number): void;
}

/**
 * A UDP session on a lane: datagram frames, of which each data frame has whole ones. It has no window:
 * what can't be sent or taken is dropped and counted.
 */
export class LaneDatagrams extends CarriedStream implements ByteStream, LaneMember {
  reader: StreamReader = DETACHED_READER;
  readonly number: number;
  readonly writesAtOnce = true;
  readonly headRoom = 0;
  readonly #bounds: DatagramBounds;
  #lane: Lane | undefined;
  /** Data frames for which the lane has no room yet. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #blocked = false;
  /** Counts the datagrams of a frame that is dropped. */
  #dropping: DatagramDecoder | undefined;
  #finSent = false;
  #peerEnded = false;
  #deliversLater = false;

  constructor(lane: Lane, number: number, bounds: DatagramBounds) {
    super(lane.stream);
    this.#lane = lane;
    this.number = number;
    this.#bounds = bounds;
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  /** @param bytes whole datagram frames */
  write(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; ) {
      const end = lastFrameEnd(bytes, at);
      this.#send(bytes, at, end);
      at = end;
    }
    return this.#keptBytes === 0;
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    return this.write(buffer.subarray(0, length));
  }

  #send(bytes: Buffer, start: number, end: number): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    if (this.#keptBytes === 0 && lane.output.takes) {
      lane.output.data(this.number, bytes, start, end - start);
      return;
    }
    if (!this.#bounds.waiting.enter(end - start)) {
      this.#bounds.onDropped(countFrames(bytes, start, end));
      return;
    }
    // The caller's memory may be a large one that many use.
    this.#kept.push(Buffer.from(bytes.subarray(start, end)));
    this.#keptBytes += end - start;
    lane.wait(this);
  }

  onRoom(): boolean {
    const frame = this.#kept.shift();
    const lane = this.#lane;
    if (frame === undefined || lane === undefined) return false;
    this.#bounds.waiting.leave(frame.length);
    this.#keptBytes -= frame.length;
    lane.output.data(this.number, frame, 0, frame.length);
    if (this.#keptBytes > 0) return true;
    this.reader.onDrain();
    return false;
  }

  get pendingBytes(): number {
    return this.#keptBytes;
  }

  end(done?: () => void): void {
    const lane = this.#lane;
    if (this.#finSent || lane === undefined) return;
    this.#dropKept();
    this.#finSent = true;
    lane.output.control(LANE_FIN, this.number);
    if (done !== undefined) process.nextTick(done);
    this.#settle();
  }

  onDataFrame(_length: number): boolean {
    if (this.#lane === undefined || this.#peerEnded) return false;
    const full = this.#heldBytes >= MAX_HELD_BYTES;
    this.#dropping = full ? new DatagramDecoder() : undefined;
    return true;
  }

  onData(bytes: Buffer, lease: Lease): void {
    if (this.#lane === undefined) return;
    if (this.#dropping !== undefined) this.#drop(this.#dropping, bytes);
    else if (!this.#blocked && this.#heldBytes === 0) this.#deliver(bytes, lease);
    else {
      this.#held.push(Buffer.from(bytes));
      this.#heldBytes += bytes.length;
    }
  }

  #drop(decoder: DatagramDecoder, bytes: Buffer): void {
    try {
      decoder.push(bytes, () => this.#bounds.onDropped(1));
    } catch {
      // What is dropped need not be right.
      this.#dropping = new DatagramDecoder();
    }
  }

  #deliver(bytes: Buffer, lease: Lease): void {
    if (!this.reader.onBytes(bytes, bytes.length, lease)) this.#blocked = true;
  }

  onControl(type: number): void {
    if (type === LANE_FIN) {
      this.#peerEnded = true;
      this.reader.onEnd();
      this.#settle();
    } else if (type === LANE_RESET) {
      this.#leave();
      this.reader.onClose();
    } else {
      // Neither credits nor moves belong to a UDP session.
      this.reset();
    }
  }

  pause(): void {
    this.#blocked = true;
  }

  resume(): void {
    this.#blocked = false;
    if (this.#heldBytes === 0 || this.#deliversLater) return;
    // Not from inside this method.
    this.#deliversLater = true;
    process.nextTick(deliverNow, this);
  }

  deliverHeld(): void {
    this.#deliversLater = false;
    while (!this.#blocked && this.#lane !== undefined) {
      const first = this.#held.shift();
      if (first === undefined) return;
      this.#heldBytes -= first.length;
      this.#deliver(first, OWNED);
    }
  }

  hold(): void {}
  readAtMost(): void {}
  rest(): void {}

  #settle(): void {
    if (!this.#finSent || !this.#peerEnded || this.#lane === undefined) return;
    this.#leave();
    process.nextTick(closeNow, this);
  }

  #leave(): void {
    const lane = this.#lane;
    this.#lane = undefined;
    this.#dropKept();
    this.#dropHeld();
    lane?.remove(this);
  }

  /** Came, and its reader never took them. */
  #dropHeld(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    if (held.length === 0) return;
    this.#dropping = new DatagramDecoder();
    for (const bytes of held) this.#drop(this.#dropping, bytes);
  }

  #dropKept(): void {
    for (const frame of this.#kept) {
      this.#bounds.waiting.leave(frame.length);
      this.#bounds.onDropped(countFrames(frame, 0, frame.length));
    }
    this.#kept = [];
    this.#keptBytes = 0;
  }

  onLaneClosed(): void {
    this.#leave();
    this.reader.onClose();
  }

  reset(): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    if (!this.#finSent) lane.output.control(LANE_RESET, this.number);
    this.#leave();
    process.nextTick(closeNow, this);
  }

  /** An end that has been sent is all that the other side needs. */
  destroy(): void {
    this.reset();
  }

  get destroyed(): boolean {
    return this.#lane === undefined;
  }
}

/** Where the next datagram frame after `at` ends. */
function frameEnd(bytes: Buffer, at: number): number {
  const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return Math.min(bytes.length, at + FRAME_HEADER_BYTES + length);
}

/** Where the last datagram frame ends that fits into one data frame which begins at `start`. */
function lastFrameEnd(bytes: Buffer, start: number): number {
  if (bytes.length - start <= LANE_WINDOW_BYTES) return bytes.length;
  let end = frameEnd(bytes, start);
  for (let next = frameEnd(bytes, end); next - start <= LANE_WINDOW_BYTES; ) {
    end = next;
    next = frameEnd(bytes, end);
  }
  return end;
}

function countFrames(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at = frameEnd(bytes, at)) count++;
  return count;
}

function deliverNow(stream: LaneDatagrams): void {
  stream.deliverHeld();
}

function closeNow(stream: LaneDatagrams): void {
  stream.reader.onClose();
}
