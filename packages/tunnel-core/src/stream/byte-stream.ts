/**
 * Who handles a stream's events now. What a stream is used for (being proved, idle in the pool,
 * relaying) changes by changing its reader, so no listener is added or removed and no closure made
 * per connection.
 */
export interface StreamReader {
  /**
   * `length` bytes have arrived at the start of `buffer`. Unless `owned`, they are valid during the
   * call only: the memory is read into again afterwards. (A reader that has chosen the memory
   * itself, by `readInto`, knows better: nothing is read into it before it has returned true, or
   * called `resume`.)
   *
   * @returns false to stop reading until `resume()`. What one read of the system has brought
   *   already may still come after that (TLS: records)
   */
  onBytes(buffer: Buffer, length: number, owned: boolean): boolean;
  /** The other side has ended its direction; nothing more will come. */
  onEnd(): void;
  /** After a `write` that was not done: nothing is pending any more. */
  onDrain(): void;
  /** `onClose` follows. */
  onError(error: Error): void;
  /** It is over, both ways; the last call. */
  onClose(): void;
}

/**
 * A stream of bytes in both directions, each with its own end: all that the data plane knows of a
 * connection. Implemented for TCP and TLS (`socket-stream.ts`) and by each carrier; every
 * implementation passes the compliance suite (`test/support/byte-stream-suite.ts`).
 *
 * Nobody listens but its reader, which is never called from inside `setReader`, `write`, `end`,
 * `reset`, `destroy`, `pause` or `resume`.
 */
export interface ByteStream {
  /** Changes who handles the events from now on. A new stream has a reader that does nothing. */
  setReader(reader: StreamReader): void;

  /**
   * Sends bytes. They belong to the stream until the write is done, and it may change them (a
   * WebSocket masks in place).
   *
   * @param headRoom bytes in front of these, in the same memory, that the stream may write to: room
   *   for a header of its own
   * @returns whether the write is done, with all before it: the system, or the carrier's own buffer,
   *   has the bytes, nothing is pending. Else they are in use until `onDrain`
   */
  write(bytes: Buffer, headRoom?: number): boolean;
  /** Bytes of writes that are not done. 0 exactly when the last `write` was, or after `onDrain`. */
  readonly pendingBytes: number;
  /**
   * Whether a write can be done when `write` returns (plain TCP). Else it never is, so somebody who
   * wants to write on has to give copies away, up to a bound of `pendingBytes`.
   */
  readonly writesAtOnce: boolean;
  /**
   * Ends our direction after what was written; the other one goes on. Nothing may be written after.
   *
   * @param done called once when the end and all before it are done; never if the stream closes
   *   before
   */
  end(done?: () => void): void;

  /** Whether several pieces (TLS records, frames) come in one turn of the loop: worth gathering. */
  readonly readsRecords: boolean;
  /**
   * Only inside `onBytes`: where the next read lands, instead of the memory that all streams share.
   * Asked for anew after each read. Streams that can't, don't.
   */
  readInto(buffer: Buffer): void;
  /** Stops reading until `resume()`; what was read already may still come. */
  pause(): void;
  resume(): void;

  /** Closes at once so that the other side sees a reset, never an end. No-op when closed. */
  reset(): void;
  /** Closes at once, however it looks to the other side. No-op when closed. */
  destroy(): void;
  /** It was reset, destroyed, or has closed by itself; `onClose` has come or follows. */
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
