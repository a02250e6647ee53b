import type { Http2Stream as NodeStream } from "node:http2";
import { type ByteStream, OWNED, type StreamReader } from "../../stream/byte-stream.ts";
import { DETACHED_READER } from "../../stream/detached-reader.ts";
import { connectionReset } from "../../system-errors.ts";

/** Where a stream's connection goes to and comes from. */
export interface Http2Ends {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly peerFingerprint: string | undefined;
  readonly ownFingerprint: string | undefined;
}

/** One stream of an HTTP/2 connection: the body of a request one way, of its answer the other. */
export class Http2Stream implements ByteStream {
  reader: StreamReader = DETACHED_READER;
  readonly writesAtOnce = false;
  readonly headRoom = 0;
  readonly #stream: NodeStream;
  readonly #ends: Http2Ends;
  #pendingBytes = 0;
  #ended = false;
  #finished = false;
  #readEnded = false;
  #failed = false;
  #closed = false;
  readonly #onWritten = (): void => {
    // All writes are done in order, so the first callback of several may come with bytes pending.
    if (--this.#writes > 0 || this.#closed) return;
    this.#pendingBytes = 0;
    this.reader.onDrain();
  };
  #writes = 0;

  constructor(stream: NodeStream, ends: Http2Ends) {
    this.#stream = stream;
    this.#ends = ends;
    stream.pause();
    stream.on("data", (chunk: Buffer) => {
      if (!this.reader.onBytes(chunk, chunk.length, OWNED)) stream.pause();
    });
    stream.pause();
    stream.on("end", () => {
      // A stream that is reset with `NO_ERROR` or `CANCEL` ends in Node, too.
      if (stream.aborted || stream.rstCode !== 0) return;
      this.#readEnded = true;
      if (!this.#closed) this.reader.onEnd();
    });
    stream.on("error", (error) => this.#fail(error));
    stream.on("close", () => this.#close());
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  write(bytes: Buffer): boolean {
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
    this.#stream.end(() => {
      this.#finished = true;
      if (!this.destroyed) done?.();
    });
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
    this.#failed = true;
    // With an error it is RST_STREAM alone; `close` would end the stream first.
    this.#stream.destroy(new Error("reset"));
  }

  destroy(): void {
    this.reset();
  }

  get destroyed(): boolean {
    return this.#closed || this.#failed || this.#stream.destroyed;
  }

  #fail(error: Error): void {
    if (this.#failed || this.#closed) return;
    this.#failed = true;
    this.reader.onError(error);
  }

  #close(): void {
    if (this.#closed) return;
    const whole = this.#readEnded && this.#finished;
    if (!whole) this.#fail(connectionReset("the stream was reset"));
    this.#closed = true;
    this.#pendingBytes = 0;
    this.reader.onClose();
  }

  get remoteAddress(): string | undefined {
    return this.#ends.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.#ends.remotePort;
  }
  get localAddress(): string | undefined {
    return this.#ends.localAddress;
  }
  get localPort(): number | undefined {
    return this.#ends.localPort;
  }
  get peerFingerprint(): string | undefined {
    return this.#ends.peerFingerprint;
  }
  get ownFingerprint(): string | undefined {
    return this.#ends.ownFingerprint;
  }
}
