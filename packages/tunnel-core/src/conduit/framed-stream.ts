import type { ByteStream, Lease, StreamReader } from "../stream/byte-stream.ts";
import { CarriedStream } from "../stream/carried-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import type { FramedConnection } from "./framed-connection.ts";

/**
 * One user's bytes on a framed connection, which is used again after it.
 *
 * Over when both sides have ended and all was delivered (the connection lives on), or when the
 * connection closes before: a reset.
 */
export class FramedStream extends CarriedStream implements ByteStream {
  reader: StreamReader = DETACHED_READER;
  /** `undefined` once it is over. */
  #connection: FramedConnection | undefined;

  constructor(connection: FramedConnection, carrier: ByteStream) {
    super(carrier);
    this.#connection = connection;
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  write(bytes: Buffer, headRoom = 0): boolean {
    return this.#connection?.sendData(bytes, headRoom) ?? false;
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    return this.#connection?.sendCopy(buffer, length) ?? false;
  }

  get pendingBytes(): number {
    return this.#connection === undefined ? 0 : this.carrier.pendingBytes;
  }

  get writesAtOnce(): boolean {
    return this.carrier.writesAtOnce;
  }

  end(done?: () => void): void {
    this.#connection?.sendFin(done);
  }

  /** Bytes of it. @returns whether to go on reading */
  deliver(bytes: Buffer, lease: Lease): boolean {
    return this.reader.onBytes(bytes, bytes.length, lease);
  }

  pause(): void {
    this.#connection?.pauseUser();
  }

  resume(): void {
    this.#connection?.resumeUser();
  }

  hold(): void {
    this.carrier.hold();
  }

  /** What lies before its bytes may be another frame's. */
  get headRoom(): number {
    return 0;
  }

  readAtMost(bytes: number | undefined): void {
    this.carrier.readAtMost(bytes);
  }

  rest(): void {
    this.carrier.rest();
  }

  reset(): void {
    this.#connection?.stream.reset();
  }

  /** A connection that closes in the middle of a user's is a reset of his. */
  destroy(): void {
    this.reset();
  }

  get destroyed(): boolean {
    return this.#connection === undefined || this.carrier.destroyed;
  }

  /** It has come to a clean end. */
  get over(): boolean {
    return this.#connection === undefined;
  }

  /** It is over, and the connection somebody else's. */
  detach(): void {
    this.#connection = undefined;
    // Not from inside the method of this stream that has brought it about.
    process.nextTick(closeNow, this);
  }
}

function closeNow(stream: FramedStream): void {
  stream.reader.onClose();
}
