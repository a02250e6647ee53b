import type { TokenBucket, TokenWaiter } from "../rate/token-bucket.ts";
import type { RelayBuffers } from "../streams/relay-buffers.ts";
import { resetStream, type Stream, type StreamReader } from "../streams/stream-reader.ts";
import type { BlockDetector } from "../wire/block-detector.ts";
import type { Flushable } from "./flush-queue.ts";
import type { TcpRelay } from "./tcp-relay.ts";

/** Reads up to this size are copied out of the shared buffer and don't ask for a bulk buffer. */
const SMALL_READ_BYTES = 8 * 1024;
/** Small reads in a row after which a bulk buffer is given back. */
const SMALL_READS_BEFORE_GIVING_BACK = 64;
/** Most plaintext in a TLS record (RFC 8446, 5.1). */
const TLS_RECORD_BYTES = 16 * 1024;
/** Below this a TLS stream's write() may be true while the bytes are still in use. */
const TLS_HIGH_WATER_MARK = 64 * 1024;

/**
 * One end of a relayed connection: reads its stream and writes to its peer's.
 *
 * Back pressure: `blocked` while the peer's stream has bytes pending, `limited` while the rate
 * limit holds this end back; reading goes on when neither does. End: an EOF ends the peer's
 * writing side; an error or a close without EOF resets the peer.
 */
export class RelayEnd implements StreamReader, TokenWaiter, Flushable {
  queued = false;
  flushQueued = false;
  stream: Stream;
  readonly tls: boolean;
  readonly #relay: TcpRelay;
  readonly #buffers: RelayBuffers;
  readonly #local: boolean;
  readonly #bucket: TokenBucket | undefined;
  #peer: RelayEnd | undefined;
  #detector: BlockDetector | undefined;
  #held: Buffer | undefined;
  /** Bulk buffer this stream reads into. */
  #bulk: Buffer | undefined;
  #smallReads = 0;
  /** Records gathered in this turn (TLS only). */
  #gather: Buffer | undefined;
  #gathered = 0;
  /** Gather buffers whose write is still pending. */
  #pinned: Buffer[] | undefined;
  #blocked = false;
  #limited = false;
  ended = false;
  closed = false;

  constructor(relay: TcpRelay, stream: Stream, local: boolean, detector?: BlockDetector) {
    this.#relay = relay;
    this.#buffers = relay.context.buffers;
    this.stream = stream;
    this.tls = stream.raw !== stream;
    this.#local = local;
    this.#bucket = local ? relay.context.inbound : relay.context.outbound;
    this.#detector = detector;
  }

  setPeer(peer: RelayEnd): void {
    this.#peer = peer;
  }

  onBytes(buffer: Buffer, length: number, owned: boolean): boolean {
    const relay = this.#relay;
    relay.active = true;
    if (this.#local) relay.context.counters.tcprx += length;
    else relay.context.counters.tcptx += length;
    const peer = this.#peer;
    if (peer === undefined) return false;
    if (this.#detector !== undefined) {
      if (!this.#inspect(this.#detector, buffer.subarray(0, length), peer)) return false;
    } else if (owned) {
      if (!peer.stream.write(buffer)) this.#blocked = true;
    } else if (this.tls) {
      if (!this.#gatherRecord(buffer, length, peer)) this.#blocked = true;
    } else if (!this.#forward(buffer, length, peer)) {
      this.#blocked = true;
    }
    const bucket = this.#bucket;
    if (bucket !== undefined) {
      this.#buffers.next = this.#buffers.sharedPrefix(bucket.quantumBytes);
      if (!bucket.take(length)) {
        this.#limited = true;
        bucket.wait(this);
      }
    }
    if (this.#bulk !== undefined) this.#buffers.next = this.#bulk;
    return !this.#blocked && !this.#limited;
  }

  /** From a plain stream: the buffer is the shared one, or the bulk buffer of this end. */
  #forward(buffer: Buffer, length: number, peer: RelayEnd): boolean {
    const bulk = this.#bulk;
    if (bulk === undefined || (peer.tls && length < TLS_HIGH_WATER_MARK)) {
      // A limited connection reads little at a time, so that it doesn't run deep into debt.
      if (bulk === undefined && length > SMALL_READ_BYTES && this.#bucket === undefined) {
        this.#bulk = this.#buffers.borrow();
        this.#smallReads = 0;
      }
      const copy = Buffer.allocUnsafe(length);
      buffer.copy(copy, 0, 0, length);
      return peer.stream.write(copy);
    }
    const done = peer.stream.write(buffer.subarray(0, length));
    if (length > SMALL_READ_BYTES) this.#smallReads = 0;
    else if (++this.#smallReads >= SMALL_READS_BEFORE_GIVING_BACK && done) this.#giveBackBulk();
    return done;
  }

  /**
   * From a TLS stream: each call brings one record. The records of one turn are written at once; a
   * short record ends the burst and is written now, so that nothing waits.
   */
  #gatherRecord(buffer: Buffer, length: number, peer: RelayEnd): boolean {
    if (this.#gathered === 0 && length < TLS_RECORD_BYTES) {
      const copy = Buffer.allocUnsafe(length);
      buffer.copy(copy, 0, 0, length);
      return peer.stream.write(copy);
    }
    this.#gather ??= this.#buffers.borrow();
    const gather = this.#gather;
    if (gather === undefined) {
      const copy = Buffer.allocUnsafe(length);
      buffer.copy(copy, 0, 0, length);
      return peer.stream.write(copy);
    }
    buffer.copy(gather, this.#gathered, 0, length);
    this.#gathered += length;
    if (length < TLS_RECORD_BYTES || gather.length - this.#gathered < TLS_RECORD_BYTES) {
      return this.#flushGathered(peer);
    }
    this.#relay.context.flushes.add(this);
    return !this.#blocked;
  }

  #flushGathered(peer: RelayEnd): boolean {
    const gather = this.#gather;
    if (gather === undefined || this.#gathered === 0) return !this.#blocked;
    const done = peer.stream.write(gather.subarray(0, this.#gathered));
    this.#gather = undefined;
    this.#gathered = 0;
    if (done && !peer.tls) this.#buffers.giveBack(gather);
    else if (this.#pinned === undefined) this.#pinned = [gather];
    else this.#pinned.push(gather);
    return done;
  }

  /** End of the turn: writes what was gathered. */
  flush(): void {
    const peer = this.#peer;
    if (peer === undefined || peer.closed || this.#flushGathered(peer)) return;
    this.#blocked = true;
    this.stream.pause();
  }

  /** Looks at the first bytes of a user for a blocked protocol; false when it was blocked. */
  #inspect(detector: BlockDetector, bytes: Buffer, peer: RelayEnd): boolean {
    const verdict = detector.push(bytes);
    if (verdict === "blocked") {
      this.#relay.blocked();
      return false;
    }
    const held = this.#held;
    const all = held === undefined ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
    if (verdict === "undecided") {
      this.#held = all;
      return true;
    }
    this.#held = undefined;
    this.#detector = undefined;
    if (!peer.stream.write(all)) this.#blocked = true;
    return true;
  }

  /** The rate limit lets this end go on. */
  onTokens(): void {
    this.#limited = false;
    if (!this.#blocked && !this.closed) this.stream.resume();
  }

  /** This end's stream has taken all that the peer gave it. */
  onDrain(): void {
    this.#peer?.unblock();
  }

  unblock(): void {
    if (this.#pinned !== undefined) {
      for (const buffer of this.#pinned) this.#buffers.giveBack(buffer);
      this.#pinned = undefined;
    }
    this.#blocked = false;
    if (this.ended) this.#giveBackBulk();
    else if (!this.#limited && !this.closed) this.stream.resume();
  }

  onEnd(): void {
    if (this.ended) return;
    this.ended = true;
    const peer = this.#peer;
    if (peer === undefined) return;
    if (this.#held !== undefined) {
      // Every byte so far is the start of a blocked protocol, and no more will come.
      this.#relay.blocked();
      return;
    }
    if (this.#gathered > 0 && !this.#flushGathered(peer)) this.#blocked = true;
    if (!this.#blocked) this.#giveBackBulk();
    const stream = peer.stream;
    // Both sides have ended and nothing is pending: closing says the same as shutdown, then close.
    if (peer.ended && !peer.tls && stream.writableLength === 0) stream.destroy();
    else stream.end();
  }

  onError(_error: Error): void {
    const peer = this.#peer;
    if (peer !== undefined && !peer.closed) resetStream(peer.stream);
  }

  onClose(): void {
    if (this.closed) return;
    this.closed = true;
    const peer = this.#peer;
    if (this.queued) this.#bucket?.cancel(this);
    if (peer !== undefined && !peer.closed && !(this.ended && peer.ended)) resetStream(peer.stream);
    if (peer === undefined || peer.closed) this.#relay.finish();
  }

  /** Both streams have closed: nothing uses the buffers any more. */
  release(): void {
    this.#giveBackBulk();
    if (this.#gather !== undefined) this.#buffers.giveBack(this.#gather);
    this.#gather = undefined;
    this.#gathered = 0;
    if (this.#pinned !== undefined) for (const b of this.#pinned) this.#buffers.giveBack(b);
    this.#pinned = undefined;
  }

  #giveBackBulk(): void {
    if (this.#bulk === undefined) return;
    this.#buffers.giveBack(this.#bulk);
    this.#bulk = undefined;
  }
}
