import type { FramedStream } from "../conduit/framed-stream.ts";
import { type Lease, OWNED, SHARED, type StreamReader } from "../stream/byte-stream.ts";
import { EarlyReader } from "../stream/early-reader.ts";

/** Whose branch it is. */
export interface BranchOwner {
  /** Who reads the stream now. */
  readonly reader: StreamReader;
  /** What was written to it has gone. */
  onBranchDrain(branch: LaneBranch): void;
  onBranchClosed(branch: LaneBranch): void;
}

/**
 * A pool connection over which a lane's stream goes on, in one direction or in both. What comes over
 * it waits until all has come that was sent over the lane before.
 */
export class LaneBranch extends EarlyReader {
  /** The id of the pool connection. */
  readonly id: number;
  readonly stream: FramedStream;
  owner: BranchOwner | undefined;
  /** What comes over it is the stream's: the seam is behind. */
  #joined = false;
  #closed = false;

  constructor(id: number, stream: FramedStream) {
    super();
    this.id = id;
    this.stream = stream;
    stream.setReader(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** From now on its bytes go to the reader of its owner; what has come does at once. */
  join(reader: StreamReader): void {
    this.#joined = true;
    const early = this.takeEarly();
    let go = true;
    if (early?.bytes !== undefined) {
      go = reader.onBytes(early.bytes, early.bytes.length, OWNED);
    }
    if (early?.ended === true) reader.onEnd();
    if (go) this.stream.resume();
  }

  override onBytes(buffer: Buffer, length = buffer.length, lease?: Lease): boolean {
    const { owner } = this;
    if (!this.#joined || owner === undefined) return super.onBytes(buffer, length);
    return owner.reader.onBytes(buffer, length, lease ?? SHARED);
  }

  override onEnd(): void {
    if (this.#joined) this.owner?.reader.onEnd();
    else super.onEnd();
  }

  override onDrain(): void {
    this.owner?.onBranchDrain(this);
  }

  override onClose(): void {
    this.#closed = true;
    if (this.owner === undefined) super.onClose();
    else this.owner.onBranchClosed(this);
  }
}
