import type { TokenBucket, TokenWaiter } from "../rate/token-bucket.ts";
import type { BulkBuffer } from "../stream/relay-buffers.ts";
import type { Stream, StreamReader } from "../stream/stream-reader.ts";
import type { Flushable } from "./flush-queue.ts";
import type { RelayContext } from "./relay-context.ts";

/** Reads up to this size are copied out of the shared buffer and don't ask for a bulk buffer. */
const SMALL_READ_BYTES = 8 * 1024;
/** Small reads in a row after which a bulk buffer is given back. */
const SMALL_READS_BEFORE_GIVING_BACK = 64;
/** Most plaintext in a TLS record (RFC 8446, 5.1). */
export const TLS_RECORD_BYTES = 16 * 1024;
/** Below this a TLS stream's write() may be true while the bytes are still in use. */
export const TLS_HIGH_WATER_MARK = 64 * 1024;

/**
 * A stream that is read for a relay: its buffers, and what holds its reading back.
 *
 * Back pressure: `blocked` while the other side has bytes pending, `limited` while the rate limit
 * holds this one back; reading goes on when neither does.
 */
export abstract class RelaySource implements StreamReader, TokenWaiter, Flushable {
  queued = false;
  flushQueued = false;
  readonly stream: Stream;
  /** Whether the stream is TLS: it reads records, and its writes are never done at once. */
  readonly tls: boolean;
  protected readonly context: RelayContext;
  protected readonly bucket: TokenBucket | undefined;
  protected blocked = false;
  protected limited = false;
  /** Bulk buffer this stream reads into. */
  #bulk: BulkBuffer | undefined;
  #smallReads = 0;
  /** Records gathered in this turn (TLS only). */
  #gather: BulkBuffer | undefined;
  #gathered = 0;
  /** Gather buffers whose bytes are still being written. */
  #pinned: BulkBuffer[] | undefined;
  ended = false;
  closed = false;

  constructor(context: RelayContext, stream: Stream, bucket: TokenBucket | undefined) {
    this.context = context;
    this.stream = stream;
    this.tls = stream.raw !== stream;
    this.bucket = bucket;
  }

  abstract onBytes(buffer: Buffer, length: number, owned: boolean): boolean;
  abstract onEnd(): void;
  abstract onDrain(): void;
  abstract onError(error: Error): void;
  abstract onClose(): void;

  /** The bulk buffer that this stream reads into, with its head room. */
  protected get bulk(): Buffer | undefined {
    return this.#bulk?.whole;
  }

  /** Whether what is in `buffer` has to be copied to outlive the read callback. */
  protected get readsShared(): boolean {
    return this.#bulk === undefined;
  }

  /** Begins under the rate limit: a new source waits its turn like any other. */
  protected beginLimited(): void {
    if (this.bucket === undefined || this.bucket.take(0)) return;
    this.limited = true;
    this.stream.pause();
    this.bucket.wait(this);
  }

  /** Before a plain read's bytes are passed on: a large read asks for a bulk buffer. */
  protected sizeUp(length: number): void {
    // A limited connection reads little at a time, so that it doesn't run deep into debt.
    if (this.#bulk !== undefined || length <= SMALL_READ_BYTES || this.bucket !== undefined) return;
    this.#smallReads = 0;
    this.#returnsBulk = false;
    this.#wantsBulk = true;
  }
  #wantsBulk = false;

  /** After a read's bytes were passed on. @returns whether to go on reading */
  protected afterRead(length: number): boolean {
    const { bucket, context } = this;
    if (this.#wantsBulk) {
      this.#wantsBulk = false;
      // Not for a connection whose end was in this very read: it may be idle for long.
      const over = this.#returnsBulk || this.ended || this.closed;
      if (!over) this.#bulk = context.buffers.borrow();
    } else if (this.#bulk !== undefined && this.#returnsBulk) {
      if (!this.blocked) this.giveBackBulk();
    } else if (this.#bulk !== undefined) {
      if (length > SMALL_READ_BYTES) this.#smallReads = 0;
      else if (++this.#smallReads >= SMALL_READS_BEFORE_GIVING_BACK && !this.blocked) {
        this.giveBackBulk();
      }
    }
    if (bucket !== undefined) {
      context.buffers.next = context.buffers.sharedPrefix(bucket.quantumBytes);
      if (!bucket.take(length)) {
        this.limited = true;
        bucket.wait(this);
      }
    }
    if (this.#bulk !== undefined) context.buffers.next = this.#bulk.body;
    return !this.blocked && !this.limited;
  }

  /**
   * Wants the bulk buffer given back. That can happen only in a read callback, where the next
   * read's buffer is chosen: until then the system may read into it.
   */
  protected returnBulk(): void {
    this.#returnsBulk = true;
  }
  #returnsBulk = false;

  /** Only inside a read callback, or when nothing more will be read. */
  protected giveBackBulk(): void {
    this.#returnsBulk = false;
    if (this.#bulk === undefined) return;
    this.context.buffers.giveBack(this.#bulk);
    this.#bulk = undefined;
  }

  /**
   * Adds a TLS record to those of this turn, which are passed on at once; a short record ends the
   * burst and is passed on now, so that nothing waits.
   *
   * @returns false if the record was not gathered and has to be copied
   */
  protected gatherRecord(buffer: Buffer, length: number): boolean {
    if (this.#gathered === 0 && length < TLS_RECORD_BYTES) return false;
    this.#gather ??= this.context.buffers.borrow();
    const gather = this.#gather;
    if (gather === undefined) return false;
    const { whole } = gather;
    buffer.copy(whole, this.#gathered, 0, length);
    this.#gathered += length;
    if (length < TLS_RECORD_BYTES || whole.length - this.#gathered < TLS_RECORD_BYTES) {
      this.flushGathered();
    } else {
      this.context.flushes.add(this);
    }
    return true;
  }

  /** Passes on what was gathered. */
  protected flushGathered(): void {
    const gather = this.#gather;
    if (gather === undefined || this.#gathered === 0) return;
    const length = this.#gathered;
    this.#gather = undefined;
    this.#gathered = 0;
    this.passGathered(gather.whole, length);
    // Whether or not reading stops: these bytes are free when the other side has drained.
    if (!this.blocked) this.context.buffers.giveBack(gather);
    else if (this.#pinned === undefined) this.#pinned = [gather];
    else this.#pinned.push(gather);
  }

  /** Passes gathered bytes on without a copy; sets `blocked` while they are still in use. */
  protected abstract passGathered(gather: Buffer, length: number): void;

  /** End of the turn. */
  flush(): void {
    if (this.closed) return;
    this.flushGathered();
    if (this.blocked) this.stream.pause();
  }

  onTokens(): void {
    this.limited = false;
    if (!this.blocked && !this.closed) this.stream.resume();
  }

  /** The other side has drained. */
  unblock(): void {
    this.#unpin();
    this.blocked = false;
    if (this.ended) this.giveBackBulk();
    else if (!this.limited && !this.closed) this.stream.resume();
  }

  /** Nothing uses this source's buffers any more. */
  protected releaseBuffers(): void {
    if (this.queued) this.bucket?.cancel(this);
    this.limited = false;
    this.giveBackBulk();
    if (this.#gather !== undefined) this.context.buffers.giveBack(this.#gather);
    this.#gather = undefined;
    this.#gathered = 0;
    this.#unpin();
  }

  #unpin(): void {
    if (this.#pinned === undefined) return;
    for (const buffer of this.#pinned) this.context.buffers.giveBack(buffer);
    this.#pinned = undefined;
  }
}

/** A copy of the first `length` bytes. */
export function copyOf(buffer: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  buffer.copy(copy, 0, 0, length);
  return copy;
}
