import { FirstBytes } from "../relay/first-bytes.ts";
import type { BlockInspection, RelayContext, RelayOwner } from "../relay/relay-context.ts";
import type { IdleCheckable } from "../relay/relay-registry.ts";
import { copyOf, RelaySource } from "../relay/relay-source.ts";
import type { EarlyInput } from "../stream/early-reader.ts";
import { resetStream, type Stream, setReader } from "../stream/stream-reader.ts";
import type { FramedConnection } from "./framed-connection.ts";

export interface FramedRelayOptions {
  readonly context: RelayContext;
  /** The user (at the entry) or the target (at the exit). */
  readonly local: Stream;
  readonly carrier: FramedConnection;
  /** Written to the local stream first (PROXY protocol header, not counted). */
  readonly header?: string | undefined;
  /** What the local side has brought already. */
  readonly early?: EarlyInput | undefined;
  readonly inspection?: BlockInspection | undefined;
  readonly owner: RelayOwner;
}

/**
 * A TCP connection carried by a framed pool connection: the local side of it. Call `begin` after
 * the carrier has been told.
 */
export class FramedRelay extends RelaySource implements IdleCheckable {
  active = true;
  idleSweeps = 0;
  /** Set by a carrier that waits for this side's last bytes. */
  onReleased: (() => void) | undefined;
  readonly #options: FramedRelayOptions;
  #carrier: FramedConnection | undefined;
  #firstBytes: FirstBytes | undefined;
  /** The carrier has not yet sent all that this side's bulk buffer holds. */
  #releaseLater = false;

  constructor(options: FramedRelayOptions) {
    super(options.context, options.local, options.context.inbound);
    this.#options = options;
    this.#carrier = options.carrier;
    const { inspection, local, context } = options;
    setReader(local, this);
    context.tcpRelays.add(this);
    if (inspection !== undefined) {
      this.#firstBytes = new FirstBytes(inspection.detector(), inspection.holds, (held) => {
        this.#passHeld(held);
      });
    }
    if (options.header !== undefined) local.write(options.header, "latin1");
  }

  /** Takes what the local side has brought already and reads on. */
  begin(): void {
    this.beginLimited();
    const { early } = this.#options;
    if (early === undefined) return;
    let go = true;
    if (early.bytes !== undefined) go = this.onBytes(early.bytes, early.bytes.length, true);
    if (early.ended) this.onEnd();
    else if (go) this.stream.resume();
  }

  onBytes(buffer: Buffer, length: number, owned: boolean): boolean {
    const carrier = this.#carrier;
    if (carrier === undefined) return false;
    this.active = true;
    this.context.counters.tcprx += length;
    if (this.#firstBytes !== undefined) {
      this.#inspect(this.#firstBytes, buffer.subarray(0, length));
    } else {
      if (!owned) this.sizeUp(length);
      const { bulk } = this;
      const done =
        owned || bulk === undefined
          ? carrier.sendData(buffer, length)
          : carrier.sendBulk(bulk, length);
      if (!done) this.blocked = true;
    }
    return this.afterRead(length);
  }

  #inspect(firstBytes: FirstBytes, bytes: Buffer): void {
    const verdict = firstBytes.inspect(bytes);
    if (firstBytes.done) this.#firstBytes = undefined;
    if (verdict.action === "block") this.#refuse();
    else if (verdict.action === "pass" && verdict.bytes !== undefined)
      this.#passHeld(verdict.bytes);
  }

  #refuse(): void {
    this.#options.owner.onBlocked();
    this.cut();
  }

  #passHeld(bytes: Buffer): void {
    if (this.#carrier === undefined || this.#carrier.sendData(bytes, bytes.length)) return;
    this.blocked = true;
    this.stream.pause();
  }

  /** Only a plain stream is local: nothing is ever gathered. */
  protected passGathered(gather: Buffer, length: number): void {
    this.#passHeld(copyOf(gather, length));
  }

  /** Bytes from the peer. @returns false while they are pending */
  deliver(bytes: Buffer): boolean {
    this.active = true;
    this.context.counters.tcptx += bytes.length;
    return this.stream.write(bytes);
  }

  /** The peer's side has ended. */
  peerEnded(): void {
    this.active = true;
    const { stream } = this;
    // Both sides have ended and nothing is pending: closing says the same as shutdown, then close.
    if (this.ended && stream.writableLength === 0) stream.destroy();
    else stream.end();
  }

  /** The carrier has done its part and is somebody else's. */
  detach(): void {
    this.#carrier = undefined;
  }

  /** The carrier has closed before the connection's end. */
  carrierLost(): void {
    this.#carrier = undefined;
    if (this.#releaseLater) this.releaseBuffers();
    else resetStream(this.stream);
  }

  override unblock(): void {
    if (this.closed) {
      this.blocked = false;
      if (this.#releaseLater) this.releaseBuffers();
      return;
    }
    super.unblock();
  }

  onDrain(): void {
    const carrier = this.#carrier;
    if (carrier === undefined) return;
    carrier.unblock();
    carrier.settle();
  }

  onEnd(): void {
    const carrier = this.#carrier;
    if (this.ended || carrier === undefined) return;
    this.ended = true;
    const verdict = this.#firstBytes?.end();
    if (verdict?.action === "block") {
      this.#refuse();
      return;
    }
    if (verdict?.action === "pass" && verdict.bytes !== undefined) this.#passHeld(verdict.bytes);
    if (!this.blocked) this.giveBackBulk();
    carrier.sendFin();
  }

  onError(_error: Error): void {
    // `close` follows, and resets the carrier.
  }

  onClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.#firstBytes?.close();
    this.context.tcpRelays.delete(this);
    const carrier = this.#carrier;
    if (carrier !== undefined) {
      if (this.blocked) this.#releaseLater = true;
      carrier.localClosed();
    }
    if (!this.#releaseLater) this.releaseBuffers();
    this.onReleased?.();
    this.#options.owner.onFinished();
  }

  expire(): void {
    this.cut();
  }

  cut(): void {
    resetStream(this.stream);
    this.#carrier?.reset();
  }
}
