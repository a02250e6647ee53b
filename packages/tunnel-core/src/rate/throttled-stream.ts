import type { ByteStream, Lease, StreamReader } from "../stream/byte-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { TokenBucket, type TokenWaiter } from "./token-bucket.ts";

/**
 * A stream that brings no more than so many bytes in a second: one direction of one connection
 * (`rateconn`). All else is the stream's own.
 */
export class ThrottledStream implements ByteStream, StreamReader, TokenWaiter {
  queued = false;
  readonly #stream: ByteStream;
  readonly #bucket: TokenBucket;
  #reader: StreamReader = DETACHED_READER;
  /** Its reader wants more, if the limit lets it. */
  #wanted = true;
  #limited = false;

  /** @param stream its reader is this one from now on */
  constructor(stream: ByteStream, bytesPerSecond: number) {
    this.#stream = stream;
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
    if (this.#wanted && !this.#stream.destroyed) this.#stream.resume();
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
    this.#stream.pause();
  }

  resume(): void {
    this.#wanted = true;
    // Also under the limit: it says that what was held is free.
    this.#stream.resume();
    if (this.#limited) this.#stream.pause();
  }

  readAtMost(bytes: number | undefined): void {
    const { quantumBytes } = this.#bucket;
    this.#stream.readAtMost(bytes === undefined ? quantumBytes : Math.min(bytes, quantumBytes));
  }

  write(bytes: Buffer, headRoom?: number): boolean {
    return this.#stream.write(bytes, headRoom);
  }
  writeCopy(buffer: Buffer, length: number): boolean {
    return this.#stream.writeCopy(buffer, length);
  }
  get pendingBytes(): number {
    return this.#stream.pendingBytes;
  }
  get writesAtOnce(): boolean {
    return this.#stream.writesAtOnce;
  }
  end(done?: () => void): void {
    this.#stream.end(done);
  }
  hold(): void {
    this.#stream.hold();
  }
  get headRoom(): number {
    return this.#stream.headRoom;
  }
  rest(): void {
    this.#stream.rest();
  }
  keepAlive(): void {
    this.#stream.keepAlive?.();
  }
  reset(): void {
    this.#stream.reset();
  }
  destroy(): void {
    this.#stream.destroy();
  }
  get destroyed(): boolean {
    return this.#stream.destroyed;
  }
  get remoteAddress(): string | undefined {
    return this.#stream.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.#stream.remotePort;
  }
  get localAddress(): string | undefined {
    return this.#stream.localAddress;
  }
  get localPort(): number | undefined {
    return this.#stream.localPort;
  }
  get peerFingerprint(): string | undefined {
    return this.#stream.peerFingerprint;
  }
  get ownFingerprint(): string | undefined {
    return this.#stream.ownFingerprint;
  }
}

/** The stream, or the same under a limit. @param bytesPerSecond 0 = no limit */
export function throttled(stream: ByteStream, bytesPerSecond: number): ByteStream {
  return bytesPerSecond === 0 ? stream : new ThrottledStream(stream, bytesPerSecond);
}
