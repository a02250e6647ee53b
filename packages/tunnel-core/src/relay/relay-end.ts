import { resetStream, type Stream } from "../stream/stream-reader.ts";
import type { FirstBytes } from "./first-bytes.ts";
import { copyOf, RelaySource, TLS_HIGH_WATER_MARK } from "./relay-source.ts";
import type { TcpRelay } from "./tcp-relay.ts";

/**
 * One end of a relayed connection: reads its stream and writes to its peer's.
 *
 * End: an EOF ends the peer's writing side; an error or a close without EOF resets the peer.
 */
export class RelayEnd extends RelaySource {
  readonly #relay: TcpRelay;
  readonly #local: boolean;
  #peer: RelayEnd | undefined;
  #firstBytes: FirstBytes | undefined;

  constructor(relay: TcpRelay, stream: Stream, local: boolean) {
    super(relay.context, stream, local ? relay.context.inbound : relay.context.outbound);
    this.#relay = relay;
    this.#local = local;
  }

  /** Begins to relay to `peer`. */
  begin(peer: RelayEnd, firstBytes?: FirstBytes): void {
    this.#peer = peer;
    this.#firstBytes = firstBytes;
    this.beginLimited();
  }

  onBytes(buffer: Buffer, length: number, owned: boolean): boolean {
    const relay = this.#relay;
    const peer = this.#peer;
    if (peer === undefined) return false;
    relay.active = true;
    if (this.#local) relay.context.counters.tcprx += length;
    else relay.context.counters.tcptx += length;
    if (this.#firstBytes !== undefined) this.#inspect(this.#firstBytes, buffer.subarray(0, length));
    else if (owned) this.blocked = !peer.stream.write(buffer) || this.blocked;
    else if (this.tls) this.#passRecord(buffer, length, peer);
    else this.#pass(buffer, length, peer);
    return this.afterRead(length);
  }

  /** From a plain stream: the buffer is the shared one, or the bulk buffer of this end. */
  #pass(buffer: Buffer, length: number, peer: RelayEnd): void {
    this.sizeUp(length);
    const copied = this.readsShared || (peer.tls && length < TLS_HIGH_WATER_MARK);
    const chunk = copied ? copyOf(buffer, length) : buffer.subarray(0, length);
    if (!peer.stream.write(chunk)) this.blocked = true;
  }

  #passRecord(buffer: Buffer, length: number, peer: RelayEnd): void {
    if (this.gatherRecord(buffer, length)) return;
    if (!peer.stream.write(copyOf(buffer, length))) this.blocked = true;
  }

  protected passGathered(gather: Buffer, length: number): void {
    const peer = this.#peer;
    if (peer !== undefined && !peer.stream.write(gather.subarray(0, length))) this.blocked = true;
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
    if (peer === undefined || peer.closed || peer.stream.write(bytes)) return;
    this.blocked = true;
    this.stream.pause();
  }

  onDrain(): void {
    this.#peer?.unblock();
  }

  onEnd(): void {
    const peer = this.#peer;
    if (this.ended || peer === undefined) return;
    this.ended = true;
    const verdict = this.#firstBytes?.end();
    if (verdict?.action === "block") {
      this.#relay.blocked();
      return;
    }
    if (verdict?.action === "pass" && verdict.bytes !== undefined) this.passHeld(verdict.bytes);
    this.flushGathered();
    if (!this.blocked) this.giveBackBulk();
    const { stream } = peer;
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
    this.#firstBytes?.close();
    const peer = this.#peer;
    if (peer !== undefined && !peer.closed && !(this.ended && peer.ended)) resetStream(peer.stream);
    if (peer === undefined || peer.closed) this.#relay.finish();
  }

  /** Both streams have closed. */
  release(): void {
    this.releaseBuffers();
  }
}
