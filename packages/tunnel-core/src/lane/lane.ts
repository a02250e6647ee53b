import { TunnelError } from "../errors.ts";
import {
  type ByteStream,
  type Lease,
  OWNED,
  SHARED,
  type StreamReader,
} from "../stream/byte-stream.ts";
import type { FlushQueue } from "../stream/flush-queue.ts";
import type { Reusable } from "../stream/lingerer.ts";
import { parseRemote } from "../wire/endpoint.ts";
import { LANE_ALIVE, LANE_PING, LANE_RESET, MAX_LANE_STREAM } from "../wire/lane-frame.ts";
import { LaneFrameDecoder, type LaneFrameSink } from "./lane-frame-decoder.ts";
import { LaneOutput } from "./lane-output.ts";

/** Most streams of a lane. */
const MAX_STREAMS = 65_536;
/** Pings without an answer, one a report interval, after which a lane is taken for dead. */
const MAX_ASKED = 2;
/** A read of at most this size is copied once for all its frames, else frame by frame. */
const MAX_COPIED_READ = 16 * 1024;

/** A stream of a lane, as the lane sees it. */
export interface LaneMember {
  readonly number: number;
  /** A data frame begins. @returns whether its bytes are to be given to it */
  onDataFrame(length: number): boolean;
  /** @param bytes as `StreamReader.onBytes` has them, `SHARED` or `OWNED` */
  onData(bytes: Buffer, lease: Lease): void;
  /** Any other frame. */
  onControl(type: number, value: number): void;
  /** There is room on the lane again. @returns whether it waits for more */
  onRoom(): boolean;
  /** The lane has broken. */
  onLaneClosed(): void;
}

/** Who owns a lane: the session. */
export interface LaneOwner {
  readonly role: "entry" | "exit";
  /** Exit: a stream begins. */
  onOpen(lane: Lane, type: number, number: number, remote: string): void;
  /** Its last stream is over. */
  onEmpty(lane: Lane): void;
  /** The peer broke the rules; the lane is being reset. */
  onViolation(error: TunnelError): void;
  onClosed(lane: Lane): void;
}

/**
 * A pool connection that many users share, each by a stream with a number (docs/protocol.md, "Lanes").
 * It never stops reading: each stream has a window.
 */
export class Lane implements StreamReader, LaneFrameSink, Reusable {
  /** The id of the pool connection. */
  readonly id: number;
  readonly stream: ByteStream;
  readonly output: LaneOutput;
  readonly #owner: LaneOwner;
  readonly #decoder = new LaneFrameDecoder();
  readonly #members = new Map<number, LaneMember>();
  /** Those who have bytes for which the lane had no room, in turn. */
  readonly #waiting = new Set<LaneMember>();
  /** The last number that was opened. */
  #highest = 0;
  /** Whose data frame is being read. */
  #receiving: LaneMember | undefined;
  #lease: Lease = OWNED;
  /** Bytes have come since the last tick. */
  #heard = true;
  /** Pings that have gone since some came. */
  #asked = 0;
  #closed = false;

  constructor(id: number, stream: ByteStream, owner: LaneOwner, flushes: FlushQueue) {
    this.id = id;
    this.stream = stream;
    this.#owner = owner;
    this.output = new LaneOutput(stream, flushes);
  }

  /** Open streams. */
  get size(): number {
    return this.#members.size;
  }

  get idle(): boolean {
    return this.#members.size === 0;
  }

  /** No stream can be opened on it any more. */
  get spent(): boolean {
    return this.#highest >= MAX_LANE_STREAM;
  }

  get full(): boolean {
    return this.#members.size >= MAX_STREAMS;
  }

  /** It is full of what the road does not take, or has not answered a ping yet: others serve better. */
  get doubtful(): boolean {
    return !this.output.takes || (this.#asked > 0 && !this.#heard);
  }

  /** Whether a stream with this number may still come. */
  mayOpen(number: number): boolean {
    return !this.#closed && number > this.#highest;
  }

  find(number: number): LaneMember | undefined {
    return this.#members.get(number);
  }

  /** Entry: the number of the next stream. */
  nextNumber(): number {
    return ++this.#highest;
  }

  add(member: LaneMember): void {
    this.#members.set(member.number, member);
  }

  /** Nothing of the stream goes over the lane any more. */
  remove(member: LaneMember): void {
    this.#waiting.delete(member);
    if (this.#members.delete(member.number) && this.#members.size === 0 && !this.#closed) {
      this.#owner.onEmpty(this);
    }
  }

  /** The stream has bytes that the lane has no room for. */
  wait(member: LaneMember): void {
    this.#waiting.add(member);
  }

  /** Entry, once a report interval: asks a silent lane whether it is there, resets a dead one. */
  tick(): void {
    if (this.#heard) {
      this.#heard = false;
      this.#asked = 0;
    } else if (this.#asked === MAX_ASKED) {
      this.stream.reset();
    } else {
      this.#asked++;
      this.output.control(LANE_PING, 0);
    }
  }

  onBytes(buffer: Buffer, length: number, lease: Lease): boolean {
    this.#heard = true;
    let bytes = buffer;
    this.#lease = OWNED;
    if (lease !== OWNED) {
      if (length <= MAX_COPIED_READ) {
        bytes = Buffer.allocUnsafe(length);
        buffer.copy(bytes, 0, 0, length);
      } else {
        this.#lease = SHARED;
      }
    }
    try {
      this.#decoder.decode(bytes, 0, length, this);
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error;
      this.#owner.onViolation(error);
      this.stream.reset();
      return false;
    }
    return true;
  }

  onDataFrame(stream: number, length: number): void {
    const member = this.#member(stream);
    this.#receiving = member?.onDataFrame(length) === true ? member : undefined;
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.#receiving?.onData(buffer.subarray(start, end), this.#lease);
  }

  onOpen(type: number, stream: number, remote: string): void {
    if (this.#owner.role === "entry") throw invalid("an open frame at the entry");
    if (stream <= this.#highest) throw invalid(`stream ${stream} opened after ${this.#highest}`);
    // It goes into logs and PROXY headers.
    if (parseRemote(remote) === undefined) {
      throw invalid("address of an open frame is no ip:port");
    }
    this.#highest = stream;
    if (this.full) this.output.control(LANE_RESET, stream);
    else this.#owner.onOpen(this, type, stream, remote);
  }

  onControl(type: number, stream: number, value: number): void {
    if (type === LANE_PING) this.output.control(LANE_ALIVE, 0);
    else if (type !== LANE_ALIVE) this.#member(stream)?.onControl(type, value);
  }

  /** @returns `undefined` for a stream that is over: what was on its way means nothing any more */
  #member(stream: number): LaneMember | undefined {
    if (stream > this.#highest) throw invalid(`a frame for stream ${stream}, which nobody opened`);
    return this.#members.get(stream);
  }

  onDrain(): void {
    this.output.flush();
    // Each in turn, so that whoever has much to send holds up nobody.
    for (const member of this.#waiting) {
      if (!this.output.takes) break;
      this.#waiting.delete(member);
      if (member.onRoom()) this.#waiting.add(member);
    }
    this.output.flush();
  }

  onEnd(): void {
    if (this.idle) this.stream.destroy();
    else this.stream.reset();
  }

  onError(_error: Error): void {
    // `close` follows.
  }

  onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiving = undefined;
    this.#waiting.clear();
    const members = [...this.#members.values()];
    this.#members.clear();
    for (const member of members) member.onLaneClosed();
    this.#owner.onClosed(this);
  }
}

function invalid(what: string): TunnelError {
  return new TunnelError("FRAME_INVALID", `${what} on a lane`);
}
