import { DeadlineQueue } from "../deadline-queue.ts";
import type { ByteStream, StreamReader } from "../stream/byte-stream.ts";

/** Most connections that are looked at at a time; the one that has been silent longest goes. */
const MAX_WAITING = 4096;

/** What is made of a connection's first bytes. */
export interface FirstDataTaker {
  /** Called at the beginning. @param look has the bytes so far looked at again */
  onReader?(look: () => void): void;
  /** @returns whether it is known now what to do with it: the stream is the taker's then */
  onData(stream: ByteStream, bytes: Buffer): boolean;
  /** The other side has ended its direction, or is late: no more bytes are waited for. */
  onNoMore(stream: ByteStream, bytes: Buffer, late: boolean): void;
  /** It has closed, or had to make room. */
  onGone(): void;
}

/** Connections of which the first bytes decide what becomes of them, within bounds of time and number. */
export class FirstData {
  readonly #deadlines: DeadlineQueue<FirstReader>;

  /** @param timeoutMs longest wait for the bytes */
  constructor(timeoutMs: number) {
    this.#deadlines = new DeadlineQueue(timeoutMs, (reader) => reader.late());
  }

  /** @param early what has been read already */
  read(stream: ByteStream, taker: FirstDataTaker, early?: Buffer): void {
    if (this.#deadlines.size >= MAX_WAITING) this.#deadlines.first?.drop();
    const reader = new FirstReader(stream, taker, this.#deadlines);
    taker.onReader?.(() => reader.look());
    this.#deadlines.add(reader);
    stream.setReader(reader);
    if (early === undefined || early.length === 0) stream.resume();
    else reader.onBytes(early, early.length);
  }

  get size(): number {
    return this.#deadlines.size;
  }

  close(): void {
    this.#deadlines.clear((reader) => reader.drop());
  }
}

class FirstReader implements StreamReader {
  readonly #stream: ByteStream;
  readonly #taker: FirstDataTaker;
  readonly #deadlines: DeadlineQueue<FirstReader>;
  #bytes: Buffer = Buffer.alloc(0);
  #done = false;

  constructor(stream: ByteStream, taker: FirstDataTaker, deadlines: DeadlineQueue<FirstReader>) {
    this.#stream = stream;
    this.#taker = taker;
    this.#deadlines = deadlines;
  }

  /** Looked at in the next tick: whoever gets the stream then may do with it what he likes. */
  onBytes(buffer: Buffer, length: number): boolean {
    if (this.#done) return false;
    const bytes = buffer.subarray(0, length);
    this.#bytes =
      this.#bytes.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
    process.nextTick(lookNow, this);
    return false;
  }

  look(): void {
    if (this.#done) return;
    if (!this.#taker.onData(this.#stream, this.#bytes)) this.#stream.resume();
    else this.#finish();
  }

  onEnd(): void {
    this.#noMore(false);
  }

  late(): void {
    this.#noMore(true);
  }

  #noMore(late: boolean): void {
    if (this.#done) return;
    this.#finish();
    this.#taker.onNoMore(this.#stream, this.#bytes, late);
  }

  onDrain(): void {}
  onError(_error: Error): void {
    // `close` follows.
  }

  onClose(): void {
    if (this.#done) return;
    this.#finish();
    this.#taker.onGone();
  }

  drop(): void {
    if (this.#done) return;
    this.#finish();
    this.#stream.reset();
    this.#taker.onGone();
  }

  #finish(): void {
    this.#done = true;
    this.#deadlines.delete(this);
  }
}

function lookNow(reader: FirstReader): void {
  reader.look();
}
