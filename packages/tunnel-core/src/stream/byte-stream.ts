/** How long bytes that were read stay as they are; see `StreamReader.onBytes`. */
export type Lease = typeof SHARED | typeof LEASED | typeof OWNED;
/** During the call only: copy what is to be kept (`writeCopy` does). */
export const SHARED = 0;
/** During the call, and after `hold()` until `resume()`. */
export const LEASED = 1;
/** For ever: given away. */
export const OWNED = 2;

/**
 * Who handles a stream's events now. What a stream is used for (being proved, idle in the pool,
 * relaying) changes by changing its reader, so no listener is added or removed and no closure made
 * per connection.
 */
export interface StreamReader {
  /**
   * `length` bytes have arrived at the start of `buffer`.
   *
   * @returns false to stop reading until `resume()`. What one read of the system has brought may
   *   still come after that (records, frames)
   */
  onBytes(buffer: Buffer, length: number, lease: Lease): boolean;
  /** The other side has ended its direction; nothing more will come. */
  onEnd(): void;
  /** After a write that was not done: nothing is pending any more. */
  onDrain(): void;
  /** `onClose` follows. */
  onError(error: Error): void;
  /** It is over, both ways; the last call. */
  onClose(): void;
}

/**
 * A stream of bytes in both directions, each with its own end: all that the data plane knows of a
 * connection. Implemented for TCP, for TLS and by each carrier; a user's connection inside a shared
 * pool connection is one too. Every implementation passes the compliance suite
 * (`test/support/byte-stream-suite.ts`).
 *
 * Its reader hears of everything, and is never called from inside a method of the stream.
 */
export interface ByteStream {
  /** Changes who handles the events from now on; `DETACHED_READER` is for nobody. */
  setReader(reader: StreamReader): void;

  /**
   * Sends bytes. They belong to the stream until the write is done, and it may change them (a
   * WebSocket masks in place).
   *
   * @param headRoom bytes in front of these, in the same memory, that the stream may write to: room
   *   for a header of its own. @default 0
   * @returns whether this write and all before it are done: the bytes may be used again. Else they
   *   are in use until `onDrain`
   */
  write(bytes: Buffer, headRoom?: number): boolean;
  /** Sends a copy of the first `length` bytes. @returns as `write` */
  writeCopy(buffer: Buffer, length: number): boolean;
  /** Bytes of writes that are not done: 0 exactly when the last `write` was true or `onDrain` came. */
  readonly pendingBytes: number;
  /**
   * Whether a write can be done when `write` returns (plain TCP). Else it never is, so who wants to
   * go on has to give copies away, up to a bound of `pendingBytes`.
   */
  readonly writesAtOnce: boolean;
  /**
   * Ends our direction after what was written; the other one goes on. Nothing may be written after.
   *
   * @param done called once when the end and all before it are done; not if the stream closes first
   */
  end(done?: () => void): void;

  /** Stops reading until `resume()`; what was read already may still come. */
  pause(): void;
  /** Reads on. Also says that what `hold` kept is free; then to be called even if it has closed. */
  resume(): void;
  /** Inside `onBytes`, which returns false: the `LEASED` bytes are in use until `resume()`. */
  hold(): void;
  /** Bytes in front of `LEASED` ones that are free to use, see `write`. */
  readonly headRoom: number;
  /** Most bytes that one read shall bring from now on (a rate limit); `undefined`: as it likes. */
  readAtMost(bytes: number | undefined): void;
  /** No bulk is expected any more: memory for it may be given back. */
  rest(): void;

  /**
   * It is to last: the system probes it from now on while it is silent. Absent where nothing is left
   * to be done for that.
   */
  keepAlive?(): void;

  /** Closes at once so that the other side sees a reset, never an end. No-op when closed. */
  reset(): void;
  /** Closes at once, however it looks to the other side. No-op when closed. */
  destroy(): void;
  /** Reset, destroyed, or closed by itself; `onClose` has come or follows. */
  readonly destroyed: boolean;

  /** IP address of the other side as the system tells it; `undefined` when unknown (closed). */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** Fingerprint of the certificate that the other side showed (a stream that was dialled). */
  readonly peerFingerprint: string | undefined;
  /** Fingerprint of our own certificate (a stream that was accepted). */
  readonly ownFingerprint: string | undefined;
}
