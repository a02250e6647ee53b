import { Duplex } from "node:stream";
import { type ByteStream, SHARED, type StreamReader } from "./byte-stream.ts";
import { DETACHED_READER } from "./detached-reader.ts";

/**
 * A stream whose other side is this process: what is written here, the program reads from `duplex`,
 * and the other way round. So a relay carries it like any user's or target's connection.
 *
 * Bytes are copied in both directions, since both sides keep theirs. A reset is an error with code
 * `ECONNRESET` at the duplex; a duplex that is destroyed before both sides have ended is a reset.
 */
export class ProcessStream implements ByteStream {
  /** The program's side. */
  readonly duplex: Duplex;
  readonly writesAtOnce = true;
  readonly headRoom = 0;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 0;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 0;
  readonly peerFingerprint = undefined;
  readonly ownFingerprint = undefined;
  pendingBytes = 0;
  #reader: StreamReader = DETACHED_READER;
  #paused = false;
  #atMost: number | undefined;
  /** What the program has written and the reader has not taken. */
  #left: Buffer | undefined;
  /** Tells the program that it may write on. */
  #taken: (() => void) | undefined;
  #scheduled = false;

  constructor() {
    this.duplex = new Duplex({
      read: () => this.#drained(),
      write: (chunk: Buffer, _encoding, done) => {
        this.#left = chunk;
        this.#taken = done;
        this.#deliver();
      },
      final: (done) => {
        done();
        this.#reader.onEnd();
      },
      destroy: (error, done) => {
        this.#left = undefined;
        this.#taken = undefined;
        done(error);
        // Never from inside a method of this stream.
        process.nextTick(() => this.#reader.onClose());
      },
    });
  }

  setReader(reader: StreamReader): void {
    this.#reader = reader;
  }

  write(bytes: Buffer): boolean {
    return this.writeCopy(bytes, bytes.length);
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    if (this.duplex.destroyed) return false;
    if (this.duplex.push(Buffer.from(buffer.subarray(0, length)))) return this.pendingBytes === 0;
    this.pendingBytes += length;
    return false;
  }

  /** The program reads on. */
  #drained(): void {
    if (this.pendingBytes === 0) return;
    this.pendingBytes = 0;
    process.nextTick(() => {
      if (!this.duplex.destroyed) this.#reader.onDrain();
    });
  }

  end(done?: () => void): void {
    if (this.duplex.destroyed || this.duplex.readableEnded) return;
    this.duplex.push(null);
    if (done !== undefined) process.nextTick(done);
  }

  #deliver(): void {
    while (!this.#paused && this.#left !== undefined) {
      const size = Math.min(this.#left.length, this.#atMost ?? this.#left.length);
      const part = this.#left.subarray(0, size);
      this.#left = size < this.#left.length ? this.#left.subarray(size) : undefined;
      if (!this.#reader.onBytes(part, size, SHARED)) this.#paused = true;
    }
    if (this.#left !== undefined || this.#paused) return;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#scheduled || this.#taken === undefined) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  hold(): void {
    // Nothing of it is ever lent.
  }

  readAtMost(bytes: number | undefined): void {
    this.#atMost = bytes;
  }

  rest(): void {
    // It has no memory of its own.
  }

  reset(): void {
    if (this.duplex.destroyed) return;
    const error = new Error("the connection was reset by the other side");
    this.duplex.destroy(Object.assign(error, { code: "ECONNRESET" }));
  }

  destroy(): void {
    this.duplex.destroy();
  }

  get destroyed(): boolean {
    return this.duplex.destroyed;
  }
}
