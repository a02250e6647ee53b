import { FlushQueue } from "./flush-queue.ts";

/** Size of the buffer that all quiet connections share, bytes. */
const SHARED_BYTES = 64 * 1024;
/** Most bulk buffers handed out at once: 64 x 512 KiB = 32 MiB. */
const MAX_BULK_BUFFERS = 64;
/** Bulk buffers kept for the next busy connection. */
const MAX_SPARE_BUFFERS = 8;

/** A buffer of a busy connection, with room before its bytes for the headers of frames. */
export interface BulkBuffer {
  /** What TLS records are gathered in. */
  readonly body: Buffer;
  /**
   * What is read into: the front of `body`. With its headers it fits into the `body` of the end that
   * gathers it: of one read comes one write there too, not a second one for a few bytes.
   */
  readonly read: Buffer;
}

/** Headers that bytes get on their way: a stream frame's of 4 bytes, a carrier's of up to 14. */
const HEADER_BYTES = 18;
/** Room for them in the memory before a bulk buffer's bytes. */
export const HEAD_ROOM_BYTES = 32;

/**
 * The read buffers of all relayed connections of one process (or of one tunnel, used alone).
 *
 * Quiet connections share one small buffer: what is read into it is copied before it is written,
 * so it is never pinned. A busy connection borrows a bulk buffer of its own. Measured: 512 KiB
 * reads need 0.4 times the CPU of 16 KiB reads (docs/performance.md).
 */
export class RelayBuffers {
  readonly bulkBytes: number;
  #shared: Buffer | undefined;
  readonly #prefixes = new Map<number, Buffer>();
  readonly #spare: BulkBuffer[] = [];
  /** @internal What was gathered in one turn of the loop goes on at its end. */
  readonly flushes = new FlushQueue();
  #lent = 0;
  #next: Buffer | undefined;

  /** @param bulkBytes size of one bulk buffer, bytes; at least 65536 are used. @default 524288 */
  constructor(bulkBytes = 512 * 1024) {
    // A TLS record must fit, and smaller reads than the shared buffer's would be no gain.
    this.bulkBytes = Math.max(SHARED_BYTES, bulkBytes);
  }

  /** The buffer of quiet connections; valid only inside a read callback. */
  get shared(): Buffer {
    this.#shared ??= Buffer.allocUnsafeSlow(SHARED_BYTES);
    return this.#shared;
  }

  /** The front of the shared buffer, for connections that must not read more at a time. */
  sharedPrefix(bytes: number): Buffer {
    if (bytes >= SHARED_BYTES) return this.shared;
    let prefix = this.#prefixes.get(bytes);
    if (prefix === undefined) {
      prefix = this.shared.subarray(0, bytes);
      this.#prefixes.set(bytes, prefix);
    }
    return prefix;
  }

  /** Where the read after this callback lands; asked for by `nextBuffer` right after it. */
  set next(buffer: Buffer) {
    this.#next = buffer;
  }

  /**
   * The `onread.buffer` function of every socket. Node calls it right after each read callback,
   * so one field tells it what that callback chose; without a choice it is the shared buffer.
   */
  readonly nextBuffer = (): Buffer => {
    const buffer = this.#next;
    if (buffer === undefined) return this.shared;
    this.#next = undefined;
    return buffer;
  };

  /** Borrows a bulk buffer; `undefined` when all are lent. */
  borrow(): BulkBuffer | undefined {
    if (this.#lent >= MAX_BULK_BUFFERS) return undefined;
    this.#lent++;
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    const body = Buffer.allocUnsafeSlow(HEAD_ROOM_BYTES + this.bulkBytes).subarray(HEAD_ROOM_BYTES);
    return { body, read: body.subarray(0, body.length - HEADER_BYTES) };
  }

  /** Gives a bulk buffer back; nothing may be reading from or writing to it any more. */
  giveBack(buffer: BulkBuffer): void {
    this.#lent--;
    if (this.#spare.length < MAX_SPARE_BUFFERS) this.#spare.push(buffer);
  }

  /** Bulk buffers lent now, for tests and the resource ledger. */
  get lent(): number {
    return this.#lent;
  }
}
