import {
  type ByteStream,
  type Lease,
  OWNED,
  SHARED,
  type StreamReader,
} from "../../src/stream/byte-stream.ts";
import { DETACHED_READER } from "../../src/stream/detached-reader.ts";

export interface MemoryStreamOptions {
  /** Bytes that fit on the way to the other side; what is over waits, and the write is not done. */
  readonly capacity?: number | undefined;
  /** As a TLS stream: a write is never done at once. */
  readonly writesAtOnce?: boolean | undefined;
  /** How long its bytes stay: `SHARED` ones are overwritten after the call. */
  readonly lease?: Lease | undefined;
  /** Turns of the loop that everything takes. @default 1 */
  readonly turns?: number | undefined;
}

type Arriving = Buffer | "end";

/**
 * Two streams that are each other's other side, in memory: what is written arrives in a later turn,
 * in order, once there is room and the reader reads.
 */
export function memoryPair(options: MemoryStreamOptions = {}): [MemoryStream, MemoryStream] {
  const one = new MemoryStream(options);
  const other = new MemoryStream(options);
  one.other = other;
  other.other = one;
  return [one, other];
}

export class MemoryStream implements ByteStream {
  reader: StreamReader = DETACHED_READER;
  other: MemoryStream | undefined;
  /** All that was written, for tests that look at the wire. */
  readonly written: Buffer[] = [];
  readonly writesAtOnce: boolean;
  readonly headRoom = 0;
  remoteAddress: string | undefined = "127.0.0.1";
  remotePort: number | undefined = 40_000;
  localAddress: string | undefined = "127.0.0.1";
  localPort: number | undefined = 10_101;
  peerFingerprint: string | undefined;
  ownFingerprint: string | undefined;
  destroyed = false;
  /** Whether it was closed by `reset`. */
  wasReset = false;
  readonly #capacity: number;
  readonly #lease: Lease;
  readonly #turns: number;
  /** On the way to this stream's reader. */
  #arriving: Arriving[] = [];
  #arrivingBytes = 0;
  /** Written here, without room on the way yet. */
  #waiting: Buffer[] = [];
  #owesDrain = false;
  #onEnded: (() => void) | undefined;
  #endWanted = false;
  #endSent = false;
  #readEnd = false;
  #paused = false;
  #atMost: number | undefined;
  #scheduled = false;
  #closed = false;

  constructor(options: MemoryStreamOptions = {}) {
    this.#capacity = options.capacity ?? 64 * 1024;
    this.writesAtOnce = options.writesAtOnce ?? true;
    this.#lease = options.lease ?? SHARED;
    this.#turns = options.turns ?? 1;
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  write(bytes: Buffer, _headRoom?: number): boolean {
    if (this.destroyed || this.#endWanted) return false;
    this.#waiting.push(bytes);
    if (this.writesAtOnce) this.#move();
    if (this.#waiting.length === 0) return true;
    this.#owesDrain = true;
    this.schedule();
    return false;
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    return this.write(Buffer.from(buffer.subarray(0, length)));
  }

  get pendingBytes(): number {
    return this.#waiting.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  end(done?: () => void): void {
    if (this.destroyed || this.#endWanted) return;
    this.#endWanted = true;
    this.#onEnded = done;
    this.schedule();
  }

  arrive(what: Arriving): void {
    this.#arriving.push(what);
    this.schedule();
  }

  /** Moves on what has room on the way: the bytes are copied, so they are free then. */
  #move(): void {
    const { other } = this;
    while (other !== undefined && other.#arrivingBytes < this.#capacity) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) break;
      const copy = Buffer.from(bytes);
      this.written.push(copy);
      other.#arriving.push(copy);
      other.#arrivingBytes += copy.length;
      other.schedule();
    }
  }

  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#after(this.#turns);
  }

  #after(turns: number): void {
    setImmediate(() => {
      if (turns > 1) {
        this.#after(turns - 1);
        return;
      }
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.destroyed) {
      this.#close();
      return;
    }
    this.#move();
    if (this.#waiting.length === 0) {
      if (this.#owesDrain) {
        this.#owesDrain = false;
        this.reader.onDrain();
      }
      this.#sendEnd();
    }
    this.#deliver();
    if (this.#endSent && this.#readEnd && !this.destroyed) {
      this.destroyed = true;
      this.#close();
    }
  }

  #sendEnd(): void {
    if (!this.#endWanted || this.#endSent || this.destroyed) return;
    this.#endSent = true;
    this.other?.arrive("end");
    this.#onEnded?.();
  }

  #deliver(): void {
    while (!this.#paused && !this.destroyed) {
      const next = this.#arriving.shift();
      if (next === undefined) return;
      if (next === "end") {
        this.#readEnd = true;
        this.reader.onEnd();
        return;
      }
      const bytes = next.subarray(0, this.#atMost);
      if (bytes.length < next.length) this.#arriving.unshift(next.subarray(bytes.length));
      this.#arrivingBytes -= bytes.length;
      this.other?.schedule();
      const given = this.#lease === OWNED ? bytes : Buffer.from(bytes);
      if (!this.reader.onBytes(given, given.length, this.#lease)) this.#paused = true;
      // Who has kept them without a copy shall notice.
      if (this.#lease === SHARED) given.fill(0xee);
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.schedule();
  }

  hold(): void {}

  readAtMost(bytes: number | undefined): void {
    this.#atMost = bytes;
  }

  rest(): void {}

  reset(): void {
    if (this.destroyed) return;
    this.wasReset = true;
    this.#cut();
  }

  destroy(): void {
    if (!this.destroyed) this.#cut();
  }

  #cut(): void {
    this.destroyed = true;
    this.schedule();
    const { other } = this;
    if (other === undefined || other.destroyed) return;
    const orderly = !this.wasReset && this.#waiting.length === 0 && this.#arrivingBytes === 0;
    if (orderly) {
      // As a system does: what was written arrives, then an end.
      if (!this.#endSent) other.arrive("end");
      this.#endSent = true;
    } else {
      other.#fail();
    }
  }

  #fail(): void {
    this.destroyed = true;
    setImmediate(() => {
      if (this.#closed) return;
      this.reader.onError(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
      this.#close();
    });
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.reader.onClose();
  }
}
