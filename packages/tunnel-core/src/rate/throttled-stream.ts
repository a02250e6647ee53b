import type { ByteStream, Lease, StreamReader } from "../stream/byte-stream.ts";
import { CarriedStream } from "../stream/carried-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { TokenBucket, type TokenWaiter } from "./token-bucket.ts";

/**
 * A stream that brings no more than so many bytes in a second: one direction of one connection
 * (`rateconn`). All else is the stream's own.
 */
class ThrottledStream extends CarriedStream implements ByteStream, StreamReader, TokenWaiter {
  queued = false;
  readonly #bucket: TokenBucket;
  #reader: StreamReader = DETACHED_READER;
  /** Its reader wants more, if the limit lets it. */
  #wanted = true;
  #limited = false;

  /** @param stream its reader is this one from now on */
  constructor(stream: ByteStream, bytesPerSecond: number) {
    super(stream);
    this.#bucket = new TokenBucket(bytesPerSecond);
    stream.setReader(this);
    stream.readAtMost(this.#bucket.quantumBytes);
  }

  setReader(reader: StreamReader): void {
    this.#reader = reader;
  }

  // What the stream brings.

  onBytes(buffer: Buffer, length: number, lease: Lease): boolean {
    this.#wanted = this.#reader.onBytes(buffer, length, lease);
    if (this.#bucket.take(length)) return this.#wanted;
    this.#limited = true;
    this.#bucket.wait(this);
    return false;
  }

  onTokens(): void {
    this.#limited = false;
    if (this.#wanted && !this.carrier.destroyed) this.carrier.resume();
  }

  onEnd(): void {
    this.#reader.onEnd();
  }
  onDrain(): void {
    this.#reader.onDrain();
  }
  onError(error: Error): void {
    this.#reader.onError(error);
  }
  onClose(): void {
    this.#bucket.destroy();
    this.#limited = false;
    this.#reader.onClose();
  }

  // What is done with it.

  pause(): void {
    this.#wanted = false;
    this.carrier.pause();
  }

  resume(): void {
    this.#wanted = true;
    // Also under the limit: it says that what was held is free.
    this.carrier.resume();
    if (this.#limited) this.carrier.pause();
  }

  readAtMost(bytes: number | undefined): void {
    const { quantumBytes } = this.#bucket;
    this.carrier.readAtMost(bytes === undefined ? quantumBytes : Math.min(bytes, quantumBytes));
  }

  write(bytes: Buffer, headRoom?: number): boolean {
    return this.carrier.write(bytes, headRoom);
  }
  writeCopy(buffer: Buffer, length: number): boolean {
    return this.carrier.writeCopy(buffer, length);
  }
  get pendingBytes(): number {
    return this.carrier.pendingBytes;
  }
  get writesAtOnce(): boolean {
    return this.carrier.writesAtOnce;
  }
  end(done?: () => void): void {
    this.carrier.end(done);
  }
  hold(): void {
    this.carrier.hold();
  }
  get headRoom(): number {
    return this.carrier.headRoom;
  }
  rest(): void {
    this.carrier.rest();
  }
  keepAlive(): void {
    this.carrier.keepAlive?.();
  }
  reset(): void {
    this.carrier.reset();
  }
  destroy(): void {
    this.carrier.destroy();
  }
  get destroyed(): boolean {
    return this.carrier.destroyed;
  }
}

/** The stream, or the same under a limit. @param bytesPerSecond 0 = no limit */
export function throttled(stream: ByteStream, bytesPerSecond: number): ByteStream {
  return bytesPerSecond === 0 ? stream : new ThrottledStream(stream, bytesPerSecond);
}
