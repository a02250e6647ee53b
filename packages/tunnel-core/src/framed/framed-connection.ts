import { TunnelError } from "../errors.ts";
import type { RelayContext } from "../relay/relay-context.ts";
import { copyOf, RelaySource, TLS_HIGH_WATER_MARK } from "../relay/relay-source.ts";
import { HEAD_ROOM_BYTES } from "../stream/relay-buffers.ts";
import { resetStream, type Stream } from "../stream/stream-reader.ts";
import { parseRemote } from "../wire/endpoint.ts";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_OPEN_TCP,
  FRAME_OPEN_UDP,
  openFrame,
  STREAM_HEADER_BYTES,
  streamHeader,
  writeStreamHeader,
} from "../wire/stream-frame.ts";
import type { FramedRelay } from "./framed-relay.ts";
import { StreamFrameDecoder, type StreamFrameSink } from "./stream-frame-decoder.ts";

/** Bytes kept while nobody can take them; then reading stops. */
const MAX_HELD_BYTES = 16 * 1024;

/**
 * Most bytes that an entry has sent on a connection that it uses again. Whether they have reached
 * the target it cannot know: behind a target that ended its side and reads no more, the next user
 * would wait for it. So few bytes fit in the buffers on the way.
 */
const MAX_REUSED_BYTES = 32 * 1024;

/** Who owns framed connections: the session. */
export interface FramedOwner {
  /** Whether this end may be asked to open connections. */
  readonly role: "entry" | "exit";
  /** Exit: the peer begins a TCP connection; `start` or `reset` must follow. */
  onOpenTcp(connection: FramedConnection, remote: string): void;
  /** Exit: the peer begins a UDP session; the stream is given away, with what came after. */
  onOpenUdp(connection: FramedConnection, remote: string, early: Buffer | undefined): void;
  /** It has carried its connection to a clean end and can be used again. */
  onReusable(connection: FramedConnection): void;
  /** An idle one was opened by the peer, or has closed. */
  onGone(connection: FramedConnection): void;
  onViolation(error: TunnelError): void;
}

/**
 * A pool connection that carries one TCP connection after another, in frames.
 *
 * States: `idle` → `opening` (exit: the target is being dialled) → `open` → `ending` (the peer's
 * fin has come) → `idle` when both sides' fins are through, or destroyed. An end is only what a
 * fin frame says: a pool connection that ends in the middle of a connection resets it.
 */
export class FramedConnection extends RelaySource implements StreamFrameSink {
  readonly id: string;
  /** Called when it closes while its target is being dialled. */
  onLostWhileOpening: (() => void) | undefined;
  readonly #owner: FramedOwner;
  readonly #decoder = new StreamFrameDecoder();
  #state: "idle" | "opening" | "open" | "ending" = "idle";
  #relay: FramedRelay | undefined;
  /** Bytes of the local side that the present connection has sent. */
  #sent = 0;
  #finSent = false;
  /** The fin and all before it have been handed to the system. */
  #finFlushed = false;
  /** Bytes that nobody can take yet. */
  #held: Buffer | undefined;
  /** So much is held that reading has stopped. */
  #full = false;
  /** An open frame of ours that goes out with the first data, or at the end of the turn. */
  #opening: Buffer | undefined;
  /** An open frame of the peer's, handled when the buffer it came in is done with. */
  #opened: { readonly type: number; readonly remote: string } | undefined;
  /** Whether the bytes being decoded are valid only during the call. */
  #copies = true;
  readonly #onFinWritten = (): void => {
    if (!this.#finSent) return;
    this.#finFlushed = true;
    this.settle();
  };

  constructor(context: RelayContext, stream: Stream, id: string, owner: FramedOwner) {
    super(context, stream, context.outbound);
    this.id = id;
    this.#owner = owner;
  }

  get idle(): boolean {
    return this.#state === "idle";
  }

  /** Entry: begins a TCP connection. */
  open(remote: string, relay: FramedRelay): void {
    this.#state = "open";
    this.#relay = relay;
    this.#sent = 0;
    this.#opening = openFrame(FRAME_OPEN_TCP, remote);
    this.context.flushes.add(this);
    this.beginLimited();
  }

  /** Entry: begins a UDP session; the stream is the caller's from now on. */
  openUdp(remote: string): void {
    this.#state = "open";
    // The system may still read into this connection's buffer once more.
    if (this.bulk !== undefined) this.stream.once("close", () => this.releaseBuffers());
    this.stream.write(openFrame(FRAME_OPEN_UDP, remote));
  }

  /** Exit: the target has been reached. */
  start(relay: FramedRelay): void {
    this.#state = "open";
    this.#relay = relay;
    this.beginLimited();
    this.#takeHeld();
  }

  /** Ends the connection it carries, and itself, so that the peer's side is reset. */
  reset(): void {
    resetStream(this.stream);
  }

  // Sending.

  /**
   * Sends a copy of bytes of the local side.
   *
   * @returns false while they are pending
   */
  sendData(buffer: Buffer, length: number): boolean {
    this.#sent += length;
    const opening = this.#opening;
    const at = opening?.length ?? 0;
    const frame = Buffer.allocUnsafe(at + STREAM_HEADER_BYTES + length);
    if (opening !== undefined) {
      opening.copy(frame);
      this.#opening = undefined;
    }
    writeStreamHeader(frame, at, FRAME_DATA, length);
    buffer.copy(frame, at + STREAM_HEADER_BYTES, 0, length);
    return this.stream.write(frame);
  }

  /**
   * Sends bytes of the local side where they lie, after the head room of a bulk buffer.
   *
   * @returns false while they are pending: until then the buffer is in use
   */
  sendBulk(bulk: Buffer, length: number): boolean {
    if (this.tls && length < TLS_HIGH_WATER_MARK) {
      return this.sendData(bulk.subarray(HEAD_ROOM_BYTES), length);
    }
    this.#sent += length;
    this.#sendOpening();
    writeStreamHeader(bulk, 0, FRAME_DATA, length);
    return this.stream.write(bulk.subarray(0, HEAD_ROOM_BYTES + length));
  }

  /** The local side has ended. */
  sendFin(): void {
    if (this.#finSent || this.closed) return;
    this.#sendOpening();
    this.#finSent = true;
    this.stream.write(streamHeader(FRAME_FIN, 0), this.#onFinWritten);
  }

  #sendOpening(): void {
    if (this.#opening === undefined) return;
    this.stream.write(this.#opening);
    this.#opening = undefined;
  }

  override flush(): void {
    if (!this.closed) this.#sendOpening();
    super.flush();
    if (this.#full) this.stream.pause();
  }

  /** All that was sent has gone: the local side may be read on. */
  onDrain(): void {
    this.#relay?.unblock();
  }

  // Receiving.

  onBytes(buffer: Buffer, length: number, owned: boolean): boolean {
    if (this.tls && !owned && this.gatherRecord(buffer, length)) return this.afterRead(length);
    if (!owned && !this.tls) this.sizeUp(length);
    this.#copies = !owned && (this.tls || this.readsShared);
    this.#take(buffer, length);
    return this.afterRead(length) && !this.#full;
  }

  protected passGathered(gather: Buffer, length: number): void {
    this.#copies = false;
    this.#take(gather, length);
  }

  #take(buffer: Buffer, length: number): void {
    const decodable = this.#state === "idle" || this.#state === "open";
    if (this.#held !== undefined || !decodable) {
      this.#hold(buffer.subarray(0, length));
      return;
    }
    let stopped: number;
    try {
      stopped = this.#decoder.decode(buffer, 0, length, this);
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error;
      this.#owner.onViolation(error);
      resetStream(this.stream);
      return;
    }
    if (stopped < length) this.#hold(buffer.subarray(stopped, length));
    this.#handleOpened();
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#held === undefined ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
    if (this.#held.length >= MAX_HELD_BYTES) this.#full = true;
  }

  /** The state allows to decode again: what was held comes first. */
  #takeHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#full = false;
    this.#copies = false;
    if (held !== undefined) this.#take(held, held.length);
    if (!this.blocked && !this.limited && !this.closed) this.stream.resume();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    const relay = this.#relay;
    if (relay === undefined) throw outside("data");
    const bytes = buffer.subarray(start, end);
    if (!relay.deliver(this.#copies ? copyOf(bytes, end - start) : bytes)) this.blocked = true;
  }

  onFin(): boolean {
    const relay = this.#relay;
    if (relay === undefined) throw outside("fin");
    this.#state = "ending";
    this.returnBulk();
    relay.peerEnded();
    this.settle();
    return this.idle;
  }

  onOpen(type: number, remote: string): void {
    if (this.#owner.role === "entry" || this.#state !== "idle") throw outside("open");
    // It goes into logs and PROXY headers.
    if (parseRemote(remote) === undefined) {
      throw new TunnelError("FRAME_INVALID", "address of an open frame is no ip:port");
    }
    this.#state = "opening";
    this.#opened = { type, remote };
  }

  #handleOpened(): void {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#opened = undefined;
    this.#owner.onGone(this);
    if (opened.type === FRAME_OPEN_TCP) {
      this.#owner.onOpenTcp(this, opened.remote);
      return;
    }
    const early = this.#held;
    this.#held = undefined;
    // The system may still read into this connection's buffer once more.
    this.stream.once("close", () => this.releaseBuffers());
    this.#owner.onOpenUdp(this, opened.remote, early);
  }

  /** The local side has closed: cleanly, or the peer's side is reset. */
  localClosed(): void {
    if (this.#state === "ending" && this.#finSent) this.settle();
    else this.reset();
  }

  /** Becomes idle if its connection has ended on both sides and nothing of it is in use. */
  settle(): void {
    const relay = this.#relay;
    if (this.#state !== "ending" || !this.#finFlushed || this.closed || relay === undefined) return;
    if (!relay.closed && relay.stream.writableLength > 0) return;
    this.#relay = undefined;
    relay.detach();
    this.#state = "idle";
    this.#finSent = false;
    this.#finFlushed = false;
    this.returnBulk();
    if (this.blocked) this.unblock();
    if (this.ended || (this.#owner.role === "entry" && this.#sent > MAX_REUSED_BYTES)) {
      this.stream.destroy();
      return;
    }
    this.#owner.onReusable(this);
    if (this.#held !== undefined) this.#takeHeld();
  }

  onEnd(): void {
    this.ended = true;
    // An entry that uses it no more: the target has all to come, but may not have read it yet.
    const over = this.#owner.role === "exit" && this.#state === "ending" && this.#finSent;
    if (this.idle) this.stream.destroy();
    else if (!over) resetStream(this.stream);
  }

  onError(_error: Error): void {
    // `close` follows.
  }

  onClose(): void {
    if (this.closed) return;
    this.closed = true;
    const relay = this.#relay;
    this.#relay = undefined;
    if (this.idle) this.#owner.onGone(this);
    relay?.carrierLost();
    this.onLostWhileOpening?.();
    // Its last bytes may still be on their way out of the local side's socket.
    if (relay === undefined || relay.closed) this.releaseBuffers();
    else relay.onReleased = () => this.releaseBuffers();
  }
}

function outside(what: string): TunnelError {
  return new TunnelError("FRAME_INVALID", `${what} frame outside a connection's life`);
}
