import type { ByteStream } from "../stream/byte-stream.ts";
import type { Flushable, FlushQueue } from "../stream/flush-queue.ts";
import {
  FRAME_HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  writeFrameHeader,
} from "../wire/datagram-frame.ts";
import type { WaitingDatagrams } from "./waiting-datagrams.ts";

/** First size of the buffer that frames are gathered in. */
const SCRATCH_BYTES = 256 * 1024;

/** Where a tunnel gathers the frames of one session's turn before it writes them. */
export class FrameScratch {
  #buffer: Buffer | undefined;

  /** A buffer of at least `bytes`, free until the next call unless `pin` follows. */
  take(bytes: number): Buffer {
    if (bytes > SCRATCH_BYTES) return Buffer.allocUnsafeSlow(bytes);
    this.#buffer ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    return this.#buffer;
  }

  /** The buffer last taken is still being written: never hand it out again. */
  pin(): void {
    this.#buffer = undefined;
  }
}

export interface DatagramSenderOptions {
  /** Write length-framed datagrams, those of a turn at once; else each as it is (1.14). */
  readonly framed: boolean;
  readonly scratch: FrameScratch;
  readonly flushes: FlushQueue;
  /** Most bytes that wait, in the queue and in the stream; what is over is dropped. */
  readonly maxQueuedBytes: number;
  /** The tunnel's bound for what waits without a stream. */
  readonly waiting: WaitingDatagrams;
  onDropped(datagrams: number): void;
}

/** Writes one UDP session's datagrams to its pool connection. */
export class DatagramSender implements Flushable {
  flushQueued = false;
  readonly #options: DatagramSenderOptions;
  #stream: ByteStream | undefined;
  #framed: boolean;
  #queue: Buffer[] = [];
  #queuedBytes = 0;

  constructor(options: DatagramSenderOptions) {
    this.#options = options;
    this.#framed = options.framed;
  }

  /** The pool connection has come: what waits is sent. */
  attach(stream: ByteStream, framed: boolean): void {
    this.#leaveAll();
    this.#stream = stream;
    this.#framed = framed;
    if (this.#queue.length > 0) this.flush();
  }

  /** Sends a datagram; the caller gives the buffer away. */
  send(datagram: Buffer): void {
    const pending = this.#queuedBytes + (this.#stream?.pendingBytes ?? 0);
    const { length } = datagram;
    // Over IPv6 a datagram can be 20 bytes longer than any that a frame or IPv4 takes.
    if (pending + length > this.#options.maxQueuedBytes || length > MAX_DATAGRAM_BYTES) {
      this.#options.onDropped(1);
      return;
    }
    if (this.#stream === undefined && !this.#options.waiting.enter(length)) {
      this.#options.onDropped(1);
      return;
    }
    this.#queue.push(datagram);
    this.#queuedBytes += length + FRAME_HEADER_BYTES;
    if (this.#stream === undefined) return;
    // A peer that reads datagrams by read() must not find two in one: no gathering for it.
    if (this.#framed) this.#options.flushes.add(this);
    else this.flush();
  }

  /** End of the turn: one write for all frames of this session. */
  flush(): void {
    const stream = this.#stream;
    const queue = this.#queue;
    if (stream === undefined || queue.length === 0) return;
    if (stream.destroyed) {
      this.drop();
      return;
    }
    if (!this.#framed) {
      this.#flushUnframed(stream, queue);
      return;
    }
    const bytes = this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    // A stream keeps what it is given where writes are never done at once, or others wait before it:
    // that memory is to be no larger than it must.
    const passes = stream.writesAtOnce && stream.pendingBytes === 0;
    const out = passes ? this.#options.scratch.take(bytes) : Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const datagram of queue) {
      writeFrameHeader(out, at, datagram.length);
      datagram.copy(out, at + FRAME_HEADER_BYTES);
      at += FRAME_HEADER_BYTES + datagram.length;
    }
    if (!stream.write(out.subarray(0, at)) && passes) this.#options.scratch.pin();
  }

  /**
   * A NodePass 1.14 node takes what one read brings for one datagram, over TLS a record. Writes that
   * wait are joined into one record, so none may wait but the last: the others stay in the queue.
   */
  #flushUnframed(stream: ByteStream, queue: Buffer[]): void {
    let sent = 0;
    while (sent < queue.length && stream.pendingBytes === 0) {
      const datagram = queue[sent++];
      if (datagram === undefined) break;
      this.#queuedBytes -= datagram.length + FRAME_HEADER_BYTES;
      stream.write(datagram);
    }
    queue.splice(0, sent);
  }

  /** Nothing is pending any more: a datagram may go that waited for that. */
  drained(): void {
    if (!this.#framed && this.#queue.length > 0) this.flush();
  }

  #leaveAll(): void {
    if (this.#stream !== undefined) return;
    for (const datagram of this.#queue) this.#options.waiting.leave(datagram.length);
  }

  /** Drops what waits. */
  drop(): void {
    this.#leaveAll();
    if (this.#queue.length > 0) this.#options.onDropped(this.#queue.length);
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}
