import type { TokenBucket, TokenWaiter } from "../rate/token-bucket.ts";
import {
  type ByteStream,
  type Lease,
  OWNED,
  SHARED,
  type StreamReader,
} from "../stream/byte-stream.ts";
import type { EarlyInput } from "../stream/early-reader.ts";
import type { FirstBytes } from "./first-bytes.ts";
import type { Relay } from "./relay.ts";

/** Bytes pending at a stream whose writes are never done at once, from which on reading stops. */
const MAX_PENDING_BYTES = 64 * 1024;

/**
 * One end of a relayed connection: reads its stream and writes to its peer's.
 *
 * Back pressure: `blocked` while the peer has bytes pending, `limited` while the rate limit holds
 * this end back; reading goes on when neither does. End: an EOF ends the peer's writing side; an
 * error or a close without EOF resets the peer.
 */
export class RelayEnd implements StreamReader, TokenWaiter {
  queued = false;
  readonly stream: ByteStream;
  readonly #relay: Relay;
  readonly #local: boolean;
  #bucket: TokenBucket | undefined;
  #peer: RelayEnd | undefined;
  #firstBytes: FirstBytes | undefined;
  #blocked = false;
  #limited = false;
  /** Its first byte, which has yet to come, is the answer. */
  #answers: boolean;
  #ended = false;
  #closed = false;

  constructor(relay: Relay, stream: ByteStream, local: boolean, answers: boolean) {
    this.#relay = relay;
    this.stream = stream;
    this.#local = local;
    this.#answers = answers;
    this.#bucket = local ? relay.context.inbound : relay.context.outbound;
  }

  /** Begins to relay to `peer`; under a rate limit a new source waits its turn like any other. */
  begin(peer: RelayEnd, firstBytes?: FirstBytes): void {
    this.#peer = peer;
    this.#firstBytes = firstBytes;
    const bucket = this.#bucket;
    if (bucket === undefined) return;
    this.stream.readAtMost(bucket.quantumBytes);
    if (bucket.take(0)) return;
    this.#limited = true;
    this.stream.pause();
    bucket.wait(this);
  }

  /** The tunnel has another rate limit, or none: from the next read on. */
  setBucket(bucket: TokenBucket | undefined): void {
    this.#bucket = bucket;
    if (!this.#closed) this.stream.readAtMost(bucket?.quantumBytes);
  }

  /** What the stream has brought before the relay began. */
  takeEarly(early: EarlyInput): void {
    let go = true;
    if (early.bytes !== undefined) go = this.onBytes(early.bytes, early.bytes.length, OWNED);
    if (early.ended) this.onEnd();
    // Also after an end: the stream may wait for this to become somebody else's.
    if (go) this.stream.resume();
  }

  onBytes(buffer: Buffer, length: number, lease: Lease): boolean {
    const relay = this.#relay;
    const peer = this.#peer;
    if (peer === undefined) return false;
    relay.active = true;
    if (this.#answers) {
      this.#answers = false;
      relay.answered();
    }
    if (this.#local) {
      relay.context.counters.tcprx += length;
      relay.receivedBytes += length;
    } else {
      relay.context.counters.tcptx += length;
      relay.sentBytes += length;
    }
    if (this.#firstBytes !== undefined) this.#inspect(this.#firstBytes, buffer.subarray(0, length));
    else this.#pass(peer.stream, buffer, length, lease);
    const bucket = this.#bucket;
    if (bucket !== undefined && !bucket.take(length)) {
      this.#limited = true;
      bucket.wait(this);
    }
    return !this.#blocked && !this.#limited;
  }

  #pass(to: ByteStream, buffer: Buffer, length: number, lease: Lease): void {
    if (lease === OWNED) {
      if (!to.write(length === buffer.length ? buffer : buffer.subarray(0, length))) {
        this.#blocked = true;
      }
    } else if (lease === SHARED) {
      if (!to.writeCopy(buffer, length)) this.#pending(to);
    } else if (to.writesAtOnce || length >= MAX_PENDING_BYTES) {
      if (to.write(buffer.subarray(0, length), this.stream.headRoom)) return;
      this.stream.hold();
      this.#blocked = true;
    } else if (!to.writeCopy(buffer, length)) {
      this.#pending(to);
    }
  }

  /** Copies are pending: a stream that never writes at once takes more of them, up to a bound. */
  #pending(to: ByteStream): void {
    if (to.writesAtOnce || to.pendingBytes >= MAX_PENDING_BYTES) this.#blocked = true;
  }

  #inspect(firstBytes: FirstBytes, bytes: Buffer): void {
    const verdict = firstBytes.inspect(bytes);
    if (firstBytes.done) this.#firstBytes = undefined;
    if (verdict.action === "block") this.#relay.blocked();
    else if (verdict.action === "pass" && verdict.bytes !== undefined) this.passHeld(verdict.bytes);
  }

  /** Passes on what was held back. */
  passHeld(bytes: Buffer): void {
    const peer = this.#peer;
    if (peer === undefined || peer.#closed || peer.stream.write(bytes)) return;
    this.#blocked = true;
    this.stream.pause();
  }

  onDrain(): void {
    this.#peer?.unblock();
  }

  /** The other side has drained. */
  unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    if (!this.#limited) this.stream.resume();
  }

  onTokens(): void {
    this.#limited = false;
    if (!this.#blocked && !this.#closed) this.stream.resume();
  }

  onEnd(): void {
    const peer = this.#peer;
    if (this.#ended || peer === undefined) return;
    this.#ended = true;
    const verdict = this.#firstBytes?.end();
    if (verdict?.action === "block") {
      this.#relay.blocked();
      return;
    }
    if (verdict?.action === "pass" && verdict.bytes !== undefined) this.passHeld(verdict.bytes);
    peer.stream.end();
  }

  onError(_error: Error): void {
    // `close` follows.
  }

  onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#firstBytes?.close();
    if (this.queued) this.#bucket?.cancel(this);
    this.#limited = false;
    const peer = this.#peer;
    if (peer === undefined) return;
    // What the peer has read for this stream is needed no more.
    peer.unblock();
    if (!peer.#closed && !(this.#ended && peer.#ended)) peer.stream.reset();
    if (peer.#closed) this.#relay.finish();
  }
}
