import type { Lease, StreamReader } from "./byte-stream.ts";

/** Early bytes after which a stream is read no further until its relay begins. */
const MAX_EARLY_BYTES = 16 * 1024;

/** What a stream has brought before its relay began. */
export interface EarlyInput {
  readonly bytes: Buffer | undefined;
  /** Its FIN has come already. */
  readonly ended: boolean;
}

/** Reader of a stream that waits for its relay: keeps what comes, up to a bound. */
export class EarlyReader implements StreamReader {
  /** Called when the stream closes while it waits. */
  onLost: (() => void) | undefined;
  #bytes: Buffer | undefined;
  #ended = false;

  /** @param onLost called when the stream closes while it waits */
  constructor(onLost?: () => void) {
    this.onLost = onLost;
  }

  /** Gives away what has come, once; `undefined` if nothing. */
  takeEarly(): EarlyInput | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined && !this.#ended) return undefined;
    // This reader may live as long as the connection; a few bytes would keep a slab of memory.
    this.#bytes = undefined;
    return { bytes, ended: this.#ended };
  }

  /** What has come so far, left where it is. */
  get earlyBytes(): Buffer | undefined {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  onBytes(buffer: Buffer, length = buffer.length, _lease?: Lease): boolean {
    const bytes = buffer.subarray(0, length);
    this.#bytes =
      this.#bytes === undefined ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
    return this.#bytes.length < MAX_EARLY_BYTES;
  }

  onEnd(): void {
    this.#ended = true;
  }

  onDrain(): void {}

  onError(_error: Error): void {
    // `close` follows.
  }

  onClose(): void {
    this.onLost?.();
  }
}
