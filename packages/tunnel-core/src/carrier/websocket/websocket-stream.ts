import { TunnelError } from "../../errors.ts";
import { type ByteStream, type Lease, OWNED, type StreamReader } from "../../stream/byte-stream.ts";
import { CarriedStream } from "../../stream/carried-stream.ts";
import { DETACHED_READER } from "../../stream/detached-reader.ts";
import { WebSocketDecoder, type WebSocketSink } from "../../wire/websocket-decoder.ts";
import {
  CLOSE_GOING_AWAY,
  CLOSE_NORMAL,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  webSocketHeaderBytes,
  writeWebSocketHeader,
} from "../../wire/websocket-frame.ts";
import { MASK_BYTES, maskInPlace } from "../../wire/websocket-mask.ts";

/** Pongs are not sent to a peer that reads nothing while it pings: so much may wait. */
const MAX_PENDING_BEHIND_PONG = 256 * 1024;

/** Who owns a carrier's streams: pings them, and lets a last word out. */
export interface WebSocketOwner {
  /** It has closed. */
  onClosed(stream: WebSocketStream): void;
  /** Lets what was written out, then closes the connection underneath, within seconds. */
  linger(stream: ByteStream): void;
}

/**
 * The bytes of a WebSocket connection as a stream: binary messages, of which the edges mean nothing,
 * on a connection that has been opened (docs/protocol.md, "WebSocket").
 *
 * An end is a close frame with code 1000. The other direction goes on until the peer's own: RFC 6455
 * lets an end point answer a close when it is done with what it is sending (section 5.5.1). When both
 * have gone the connection is closed. One that ends in any other way was reset.
 */
export class WebSocketStream
  extends CarriedStream
  implements ByteStream, StreamReader, WebSocketSink
{
  reader: StreamReader = DETACHED_READER;
  /** Sweeps of the owner without a byte sent. */
  quietSweeps = 0;
  readonly #owner: WebSocketOwner;
  readonly #decoder: WebSocketDecoder;
  /** Whether this end masks: it is the client. */
  readonly #masks: boolean;
  /** What came with the answer to the opening. */
  #early: Buffer | undefined;
  /** How long the bytes being decoded stay, and whether to read on. */
  #lease: Lease = OWNED;
  #go = true;
  /** A write of the user is not done. */
  #waits = false;
  #ended = false;
  #peerEnded = false;
  #closed = false;

  /**
   * @param inner opened; it does not read
   * @param client whether this end is the client
   * @param early what has been read behind the opening; it comes with the first `resume`
   */
  constructor(
    inner: ByteStream,
    client: boolean,
    owner: WebSocketOwner,
    early: Buffer | undefined,
  ) {
    super(inner);
    this.#owner = owner;
    this.#masks = client;
    this.#decoder = new WebSocketDecoder(!client);
    this.#early = early;
    inner.setReader(this);
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  // Writing.

  write(bytes: Buffer, headRoom = 0): boolean {
    const { length } = bytes;
    const header = webSocketHeaderBytes(length, this.#masks);
    if (headRoom < header) return this.writeCopy(bytes, length);
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset - header, header + length);
    return this.#send(whole, header, headRoom - header);
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    const header = webSocketHeaderBytes(length, this.#masks);
    const whole = Buffer.allocUnsafe(header + length);
    buffer.copy(whole, header, 0, length);
    return this.#send(whole, header, 0);
  }

  #send(whole: Buffer, header: number, headRoom: number): boolean {
    frameInPlace(whole, header, OPCODE_BINARY, this.#masks);
    this.quietSweeps = 0;
    const done = this.carrier.write(whole, headRoom);
    this.#waits = !done;
    return done;
  }

  #control(opcode: number, payload: Buffer): boolean {
    const header = webSocketHeaderBytes(payload.length, this.#masks);
    const whole = Buffer.allocUnsafe(header + payload.length);
    payload.copy(whole, header);
    frameInPlace(whole, header, opcode, this.#masks);
    this.quietSweeps = 0;
    return this.carrier.write(whole);
  }

  get pendingBytes(): number {
    return this.#waits ? this.carrier.pendingBytes : 0;
  }

  get writesAtOnce(): boolean {
    return this.carrier.writesAtOnce;
  }

  end(done?: () => void): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.#endWaits = true;
    this.#onEndGone = done;
    // Not from inside this method.
    if (this.#control(OPCODE_CLOSE, closePayload(CLOSE_NORMAL))) process.nextTick(endGone, this);
  }
  #onEndGone: (() => void) | undefined;
  #endWaits = false;

  /** The close frame and all before it are done. */
  endGone(): void {
    if (!this.#endWaits) return;
    this.#endWaits = false;
    const done = this.#onEndGone;
    this.#onEndGone = undefined;
    if (this.#closed) return;
    done?.();
    this.#endBoth();
  }

  /** Nothing more will be said by either side. */
  #endBoth(): void {
    if (!this.#ended || this.#endWaits || !this.#peerEnded || this.#closed) return;
    this.carrier.setReader(DETACHED_READER);
    this.#owner.linger(this.carrier);
    this.#close();
  }

  /** Tells the proxies on the way that the connection is in use. */
  ping(): void {
    if (this.#ended || this.destroyed) return;
    this.#control(OPCODE_PING, Buffer.alloc(0));
  }

  onDrain(): void {
    if (this.#waits) {
      this.#waits = false;
      this.reader.onDrain();
    }
    this.endGone();
  }

  // Reading.

  onBytes(buffer: Buffer, length: number, lease: Lease): boolean {
    this.#lease = lease;
    this.#go = true;
    try {
      this.#decoder.decode(buffer, 0, length, this);
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error;
      this.#fail(error, this.#decoder.fault);
      return false;
    }
    return this.#go;
  }

  onPayload(buffer: Buffer, start: number, end: number): void {
    if (this.destroyed) return;
    const bytes = buffer.subarray(start, end);
    if (!this.reader.onBytes(bytes, end - start, this.#lease)) this.#go = false;
  }

  onPing(payload: Buffer): void {
    if (this.#ended || this.destroyed) return;
    if (this.carrier.pendingBytes > MAX_PENDING_BEHIND_PONG) return;
    this.#control(OPCODE_PONG, payload);
  }

  onPong(): void {
    // Its bytes on the way were all that was wanted.
  }

  onCloseFrame(code: number | undefined): void {
    if (this.destroyed) return;
    if (code !== CLOSE_NORMAL && code !== CLOSE_GOING_AWAY) {
      this.#fail(lost(`the peer closed the websocket with code ${code ?? "none"}`), CLOSE_NORMAL);
      return;
    }
    this.#peerEnded = true;
    this.reader.onEnd();
    this.#endBoth();
  }

  onEnd(): void {
    if (this.#peerEnded) return;
    this.#fail(lost("the connection ended without a close frame"), undefined);
  }

  onError(error: Error): void {
    if (!this.#closed) this.reader.onError(error);
  }

  onClose(): void {
    if (!this.#closed) this.#close();
  }

  /** The connection is of no more use. @param code to tell the peer, if anything can be told */
  #fail(error: TunnelError, code: number | undefined): void {
    if (this.#closed) return;
    this.carrier.setReader(DETACHED_READER);
    if (code === undefined || this.#ended || this.carrier.destroyed) {
      this.carrier.reset();
    } else {
      this.#ended = true;
      this.#control(OPCODE_CLOSE, closePayload(code));
      this.#owner.linger(this.carrier);
    }
    this.reader.onError(error);
    this.#close();
  }

  #close(): void {
    this.#closed = true;
    this.#owner.onClosed(this);
    this.reader.onClose();
  }

  pause(): void {
    this.carrier.pause();
  }

  resume(): void {
    if (this.#early === undefined) this.carrier.resume();
    else if (!this.#earlyComes) {
      this.#earlyComes = true;
      setImmediate(takeEarly, this);
    }
  }
  #earlyComes = false;

  takeEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    if (early === undefined || this.destroyed) return;
    if (this.onBytes(early, early.length, OWNED)) this.carrier.resume();
  }

  hold(): void {
    this.carrier.hold();
  }

  /** What lies before its bytes may be another message's. */
  get headRoom(): number {
    return 0;
  }

  readAtMost(bytes: number | undefined): void {
    this.carrier.readAtMost(bytes);
  }

  rest(): void {
    this.carrier.rest();
  }

  // Closing.

  reset(): void {
    this.carrier.reset();
  }

  destroy(): void {
    this.carrier.destroy();
  }

  get destroyed(): boolean {
    return this.#closed || this.carrier.destroyed;
  }
}

/** Writes the header of a frame before its payload, and masks the payload. */
function frameInPlace(whole: Buffer, header: number, opcode: number, masks: boolean): void {
  writeWebSocketHeader(whole, header, opcode, whole.length - header, masks);
  if (!masks) return;
  maskInPlace(whole, header, whole.length, whole, 0, header - MASK_BYTES);
}

function closePayload(code: number): Buffer {
  return Buffer.of(code >> 8, code & 0xff);
}

function lost(what: string): TunnelError {
  return new TunnelError("PEER_LOST", what);
}

function endGone(stream: WebSocketStream): void {
  stream.endGone();
}

function takeEarly(stream: WebSocketStream): void {
  stream.takeEarly();
}
