import type { Http2Stream as NodeStream } from "node:http2";
import { type ByteStream, OWNED, type StreamReader } from "../../stream/byte-stream.ts";
import { CarriedStream, type StreamEnds } from "../../stream/carried-stream.ts";
import { DETACHED_READER } from "../../stream/detached-reader.ts";
import { connectionReset } from "../../system-errors.ts";

/** Code of RST_STREAM (RFC 9113, section 7): the stream is no longer needed. */
const CANCEL = 8;
/** Longest silence, ms, of a 1.14 peer whose relay is over: it closes both directions at the first end. */
const LAST_WORDS_MS = 1000;

/**
 * One stream of an HTTP/2 connection: the body of a request one way, of its answer the other.
 *
 * A NodePass 1.14 client ends both directions by RST_STREAM with CANCEL, and a 1.14 server none, as
 * long as the session lasts (docs/protocol.md, "The other pools"). Of such a peer a reset is an end,
 * after which writes are for nobody; and when we have ended, its silence is one.
 */
export class Http2Stream extends CarriedStream<StreamEnds> implements ByteStream {
  reader: StreamReader = DETACHED_READER;
  readonly writesAtOnce = false;
  readonly headRoom = 0;
  readonly #stream: NodeStream;
  #pendingBytes = 0;
  #ended = false;
  #finished = false;
  #readEnded = false;
  #failed = false;
  #closed = false;
  /** Its other side is a NodePass 1.14 node. */
  #of114: boolean;
  /** That one has left; the reader knows of its end, and has not ended yet. */
  #left = false;
  #lastWords: NodeJS.Timeout | undefined;
  readonly #onWritten = (): void => {
    // All writes are done in order, so the first callback of several may come with bytes pending.
    if (--this.#writes !== 0 || this.#closed) return;
    this.#pendingBytes = 0;
    this.reader.onDrain();
  };
  #writes = 0;

  /** @param of114 its other side is a NodePass 1.14 node; a server finds out later */
  constructor(stream: NodeStream, ends: StreamEnds, of114 = false) {
    super(ends);
    this.#stream = stream;
    this.#of114 = of114;
    stream.pause();
    stream.on("data", (chunk: Buffer) => {
      this.#lastWords?.refresh();
      if (!this.reader.onBytes(chunk, chunk.length, OWNED)) stream.pause();
    });
    stream.pause();
    stream.on("end", () => {
      // A stream that is reset with `NO_ERROR` or `CANCEL` ends in Node, too.
      if ((stream.aborted || stream.rstCode !== 0) && !this.#of114) return;
      this.#endRead();
    });
    stream.on("error", (error) => this.#fail(error));
    stream.on("close", () => this.#close());
  }

  /** It has asked for an id, as a NodePass 1.14 node does. */
  isOf114(): void {
    this.#of114 = true;
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  #endRead(): void {
    if (this.#readEnded) return;
    this.#readEnded = true;
    if (!this.#closed) this.reader.onEnd();
  }

  write(bytes: Buffer): boolean {
    if (this.#left) return true;
    if (this.destroyed || this.#ended) return false;
    this.#writes++;
    this.#pendingBytes += bytes.length;
    this.#stream.write(bytes, this.#onWritten);
    return false;
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    const copy = Buffer.allocUnsafe(length);
    buffer.copy(copy, 0, 0, length);
    return this.write(copy);
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  end(done?: () => void): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    if (this.#left) {
      process.nextTick(() => {
        done?.();
        this.#close();
      });
      return;
    }
    this.#stream.end(() => {
      this.#finished = true;
      if (this.#of114 && !this.#readEnded) this.#awaitLastWords();
      if (!this.destroyed) done?.();
    });
  }

  #awaitLastWords(): void {
    this.#lastWords = setTimeout(() => {
      this.#endRead();
      this.#stream.close(CANCEL);
    }, LAST_WORDS_MS);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (!this.destroyed) this.#stream.resume();
  }

  /** All that it passes on is given away. */
  hold(): void {}
  readAtMost(): void {}
  rest(): void {}

  reset(): void {
    if (this.destroyed) return;
    if (this.#left) {
      this.#failed = true;
      process.nextTick(() => this.#close());
      return;
    }
    this.#failed = true;
    // With an error it is RST_STREAM alone; `close` would end the stream first.
    this.#stream.destroy(new Error("reset"));
  }

  destroy(): void {
    this.reset();
  }

  get destroyed(): boolean {
    return this.#closed || this.#failed || (this.#stream.destroyed && !this.#left);
  }

  #fail(error: Error): void {
    if (this.#failed || this.#closed) return;
    this.#failed = true;
    this.reader.onError(error);
  }

  #close(): void {
    if (this.#closed) return;
    clearTimeout(this.#lastWords);
    if (this.#of114 && this.#readEnded && !this.#ended && !this.#failed) {
      this.#left = true;
      // What waits is for nobody.
      if (this.#writes > 0) this.#dropped();
      return;
    }
    const whole = this.#readEnded && (this.#finished || this.#of114);
    if (!whole) this.#fail(connectionReset("the stream was reset"));
    this.#closed = true;
    this.#pendingBytes = 0;
    this.reader.onClose();
  }

  #dropped(): void {
    this.#writes = 0;
    this.#pendingBytes = 0;
    this.reader.onDrain();
  }
}
