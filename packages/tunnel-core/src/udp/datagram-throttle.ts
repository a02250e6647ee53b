import type { TokenBucket, TokenWaiter } from "../rate/token-bucket.ts";

/** Most bytes that wait for the rate limit in one session and direction. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** One direction of a UDP session under a rate limit: datagrams wait their turn, or are dropped. */
export class DatagramThrottle implements TokenWaiter {
  queued = false;
  /** What it waits for. */
  readonly bucket: TokenBucket;
  readonly #deliver: (datagram: Buffer) => void;
  readonly #onDropped: (datagrams: number) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #limited = false;
  #begun = false;

  constructor(
    bucket: TokenBucket,
    deliver: (datagram: Buffer) => void,
    onDropped: (datagrams: number) => void,
  ) {
    this.bucket = bucket;
    this.#deliver = deliver;
    this.#onDropped = onDropped;
  }

  /** Delivers the datagram now or in its turn; the caller gives the buffer away. */
  push(datagram: Buffer): void {
    if (!this.#begun) {
      // A new session waits its turn like any other: many short ones must not pass the queue.
      this.#begun = true;
      if (!this.bucket.take(0)) {
        this.#limited = true;
        this.bucket.wait(this);
      }
    }
    if (!this.#limited) {
      this.#pass(datagram);
      return;
    }
    if (this.#waitingBytes + datagram.length > MAX_WAITING_BYTES) {
      this.#onDropped(1);
      return;
    }
    this.#waiting.push(datagram);
    this.#waitingBytes += datagram.length;
  }

  #pass(datagram: Buffer): void {
    this.#deliver(datagram);
    if (this.bucket.take(datagram.length)) return;
    this.#limited = true;
    this.bucket.wait(this);
  }

  onTokens(): void {
    this.#limited = false;
    let sent = 0;
    let at = 0;
    // A turn is one quantum, as for a TCP connection, so that neither starves the other.
    while (!this.#limited && at < this.#waiting.length && sent < this.bucket.quantumBytes) {
      const datagram = this.#waiting[at++];
      if (datagram === undefined) break;
      this.#waitingBytes -= datagram.length;
      sent += datagram.length;
      this.#pass(datagram);
    }
    this.#waiting.splice(0, at);
    if (this.#limited || this.#waiting.length === 0) return;
    this.bucket.wait(this);
    this.#limited = this.queued;
    // The limit has been lifted: no other turn comes.
    if (!this.#limited) for (const datagram of this.#takeAll()) this.#deliver(datagram);
  }

  #takeAll(): readonly Buffer[] {
    const all = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return all;
  }

  /** Drops what waits. */
  close(): void {
    this.bucket.cancel(this);
    const { length } = this.#takeAll();
    if (length > 0) this.#onDropped(length);
  }
}
