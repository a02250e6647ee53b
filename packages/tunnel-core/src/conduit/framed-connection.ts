import { TunnelError } from "../errors.ts";
import { type ByteStream, type Lease, OWNED, type StreamReader } from "../stream/byte-stream.ts";
import type { Flushable, FlushQueue } from "../stream/flush-queue.ts";
import { parseRemote } from "../wire/endpoint.ts";
import {
  FRAME_DATA,
  FRAME_FIN,
  FRAME_GO_ON,
  FRAME_GRANT,
  FRAME_LANE,
  FRAME_OPEN_TCP,
  FRAME_OPEN_UDP,
  goOnFrame,
  MAX_STREAM_FRAME_BYTES,
  openFrame,
  STREAM_HEADER_BYTES,
  streamHeader,
  writeStreamHeader,
} from "../wire/stream-frame.ts";
import { FramedStream } from "./framed-stream.ts";
import { StreamFrameDecoder, type StreamFrameSink } from "./stream-frame-decoder.ts";

/** Bytes kept while nobody can take them; then reading stops. */
const MAX_HELD_BYTES = 16 * 1024;

/**
 * Most bytes that an entry has sent on a connection that it uses again. Whether they have reached
 * the target it cannot know: behind a target that ended its side and reads no more, the next user
 * would wait for it. So few bytes fit in the buffers on the way.
 */
const MAX_REUSED_BYTES = 32 * 1024;

/** What a session with lanes does with its pool connections, beside what `FramedOwner` says. */
export interface LaneKeeper {
  /** Exit: the peer makes it a lane; the stream is given away, with what came after. */
  onLane(stream: ByteStream, id: string, early: Buffer | undefined): void;
  /** Exit: it may be used for what this end sends; the peer opens nothing on it. */
  onGranted(connection: FramedConnection): void;
  /** A stream of a lane goes on over it; the reader of `user` is to be set at once. */
  onGoesOn(user: FramedStream, id: string, lane: number, stream: number): void;
}

/** Who owns framed connections: the session. */
export interface FramedOwner {
  /** `undefined` where there are no lanes. */
  readonly lanes?: LaneKeeper | undefined;
  /** Whether this end may be asked to open connections. */
  readonly role: "entry" | "exit";
  /** Exit: the peer begins a TCP connection; its stream's reader is to be set at once. */
  onOpenTcp(stream: FramedStream, remote: string): void;
  /** Exit: the peer begins a UDP session; the stream is given away, with what came after. */
  onOpenUdp(stream: ByteStream, remote: string, early: Buffer | undefined): void;
  /** It has carried its connection to a clean end and can be used again. */
  onReusable(connection: FramedConnection): void;
  /** The peer has put an idle or granted one to use, or it has closed. */
  onGone(connection: FramedConnection): void;
  onViolation(error: TunnelError): void;
}

/**
 * A pool connection that carries one TCP connection after another, in frames.
 *
 * States: `idle` → `open` → `ending` (the peer's fin has come) → `idle` when both sides' fins are
 * through and all is delivered; `idle` → `given` when it becomes a UDP session's or a lane; `idle` →
 * `granted` → `open` when the exit may use it for a lane's stream. An end is only
 * what a fin frame says: a pool connection that ends in the middle of a connection resets it.
 */
export class FramedConnection implements StreamReader, StreamFrameSink, Flushable {
  flushQueued = false;
  readonly id: string;
  readonly stream: ByteStream;
  readonly #owner: FramedOwner;
  readonly #flushes: FlushQueue;
  readonly #decoder = new StreamFrameDecoder();
  #state: "idle" | "granted" | "open" | "ending" | "given" = "idle";
  /** Whose bytes it carries, while `open` and `ending`. */
  #user: FramedStream | undefined;
  /** Bytes that the present user has sent. */
  #sent = 0;
  #finSent = false;
  #onFinDone: (() => void) | undefined;
  /** The user takes no more bytes for now. */
  #blocked = false;
  /** Frames that came before their time: the next user's, while `ending`. */
  #held: Buffer | undefined;
  /** So much is held that reading has stopped. */
  #full = false;
  #ended = false;
  #closed = false;
  /** An open frame of ours that goes out with the first data, or at the end of the turn. */
  #opening: Buffer | undefined;
  /** An open frame of the peer's, handled when the decoder has stopped at it. */
  #opened: { readonly type: number; readonly body: string } | undefined;
  #lease: Lease = OWNED;

  constructor(stream: ByteStream, id: string, owner: FramedOwner, flushes: FlushQueue) {
    this.stream = stream;
    this.id = id;
    this.#owner = owner;
    this.#flushes = flushes;
  }

  /** Nobody uses it. */
  get idle(): boolean {
    return this.#state === "idle" || this.#state === "granted";
  }

  /** Entry: begins a TCP connection. */
  open(remote: string): FramedStream {
    this.#opening = openFrame(FRAME_OPEN_TCP, remote);
    this.#flushes.add(this);
    return this.#begin();
  }

  #begin(): FramedStream {
    const user = new FramedStream(this, this.stream);
    this.#state = "open";
    this.#user = user;
    this.#sent = 0;
    return user;
  }

  /** Entry: begins a UDP session; the stream is the caller's from now on. */
  openUdp(remote: string): ByteStream {
    return this.#give(openFrame(FRAME_OPEN_UDP, remote));
  }

  /** Entry: makes it a lane; the stream is the caller's from now on. */
  becomeLane(): ByteStream {
    return this.#give(streamHeader(FRAME_LANE, 0));
  }

  #give(frame: Buffer): ByteStream {
    this.#state = "given";
    this.stream.rest();
    this.stream.write(frame);
    return this.stream;
  }

  /** Entry: leaves it to the exit for what that sends. */
  grant(): void {
    this.#state = "granted";
    this.stream.write(streamHeader(FRAME_GRANT, 0));
  }

  /** A stream of a lane goes on here. The entry does it on an idle one, the exit on a granted one. */
  goOn(lane: number, stream: number): FramedStream {
    this.#opening = goOnFrame(lane, stream);
    this.#flushes.add(this);
    return this.#begin();
  }

  // Sending.

  /** Sends bytes of the user where they lie if there is room for a header before them. */
  sendData(bytes: Buffer, headRoom: number): boolean {
    const { length } = bytes;
    const fits = headRoom >= STREAM_HEADER_BYTES && length <= MAX_STREAM_FRAME_BYTES;
    if (!fits) return this.sendCopy(bytes, length);
    this.#sent += length;
    this.flush();
    const frame = Buffer.from(
      bytes.buffer,
      bytes.byteOffset - STREAM_HEADER_BYTES,
      STREAM_HEADER_BYTES + length,
    );
    writeStreamHeader(frame, 0, FRAME_DATA, length);
    return this.stream.write(frame, headRoom - STREAM_HEADER_BYTES);
  }

  /** Sends a copy of the user's bytes, with the open frame if that has not gone yet. */
  sendCopy(buffer: Buffer, length: number): boolean {
    if (length > MAX_STREAM_FRAME_BYTES) {
      this.sendCopy(buffer, MAX_STREAM_FRAME_BYTES);
      return this.sendCopy(
        buffer.subarray(MAX_STREAM_FRAME_BYTES),
        length - MAX_STREAM_FRAME_BYTES,
      );
    }
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

  /** The user has ended. */
  sendFin(done?: () => void): void {
    if (this.#finSent || this.#closed) return;
    this.flush();
    this.#finSent = true;
    this.#onFinDone = done;
    if (this.stream.write(streamHeader(FRAME_FIN, 0))) this.#written();
  }

  /** The open frame has waited for data long enough. */
  flush(): void {
    if (this.#opening === undefined || this.#closed) return;
    this.stream.write(this.#opening);
    this.#opening = undefined;
  }

  onDrain(): void {
    this.#user?.reader.onDrain();
    this.#written();
  }

  /** Nothing of ours is pending. */
  #written(): void {
    if (!this.#finSent || this.stream.pendingBytes > 0) return;
    if (this.#onFinDone !== undefined) process.nextTick(this.#onFinDone);
    this.#onFinDone = undefined;
    this.#settle();
  }

  // Receiving.

  onBytes(buffer: Buffer, length: number, lease: Lease): boolean {
    this.#take(buffer, length, lease);
    return !this.#blocked && !this.#full;
  }

  #take(buffer: Buffer, length: number, lease: Lease): void {
    this.#lease = lease;
    let at = 0;
    // What comes while frames are held comes after them.
    while (at < length && this.#held === undefined && this.#state !== "ending") {
      try {
        at = this.#decoder.decode(buffer, at, length, this);
      } catch (error) {
        if (!(error instanceof TunnelError)) throw error;
        this.#owner.onViolation(error);
        this.stream.reset();
        return;
      }
      if (this.#opened === undefined) break;
      this.#handleOpened(this.#opened, buffer.subarray(at, length));
      if (this.#state === "given" || this.stream.destroyed) return;
    }
    if (at < length) this.#hold(buffer.subarray(at, length));
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#held === undefined ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
    if (this.#held.length >= MAX_HELD_BYTES) this.#full = true;
  }

  /** The state allows to decode again: what was held comes first. */
  #takeHeld(held: Buffer): void {
    this.#held = undefined;
    this.#full = false;
    this.#take(held, held.length, OWNED);
    if (!this.#blocked && !this.#full) this.stream.resume();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    const user = this.#user;
    if (user === undefined) throw outside("data");
    if (!user.deliver(buffer.subarray(start, end), this.#lease)) this.#blocked = true;
  }

  onFin(): boolean {
    const user = this.#user;
    if (user === undefined) throw outside("fin");
    this.#state = "ending";
    this.stream.rest();
    user.reader.onEnd();
    this.#settle();
    return this.idle;
  }

  onOpen(type: number, body: string): void {
    const { lanes, role } = this.#owner;
    if (type >= FRAME_LANE && lanes === undefined) {
      throw new TunnelError("FRAME_INVALID", `frame of type ${type} in a session without lanes`);
    }
    // The exit brings nothing to an idle one but what the entry has granted it.
    const may = type === FRAME_GO_ON && role === "entry" ? "granted" : "idle";
    if ((role === "entry" && type !== FRAME_GO_ON) || this.#state !== may) throw outside("open");
    // It goes into logs and PROXY headers.
    if (type < FRAME_LANE && parseRemote(body) === undefined) {
      throw new TunnelError("FRAME_INVALID", "address of an open frame is no ip:port");
    }
    this.#opened = { type, body };
  }

  #handleOpened(opened: { readonly type: number; readonly body: string }, rest: Buffer): void {
    this.#opened = undefined;
    const { type, body } = opened;
    const owner = this.#owner;
    if (type === FRAME_GRANT) {
      this.#state = "granted";
      owner.lanes?.onGranted(this);
    } else if (type === FRAME_OPEN_TCP || type === FRAME_GO_ON) {
      const user = this.#begin();
      owner.onGone(this);
      if (type === FRAME_OPEN_TCP) owner.onOpenTcp(user, body);
      else owner.lanes?.onGoesOn(user, this.id, number(body, 0), number(body, 4));
    } else {
      this.#state = "given";
      this.stream.rest();
      owner.onGone(this);
      const early = rest.length > 0 ? Buffer.from(rest) : undefined;
      if (type === FRAME_LANE) owner.lanes?.onLane(this.stream, this.id, early);
      else owner.onOpenUdp(this.stream, body, early);
    }
  }

  /** The user takes no more for now. */
  pauseUser(): void {
    this.#blocked = true;
    this.stream.pause();
  }

  resumeUser(): void {
    this.#blocked = false;
    if (!this.#full) this.stream.resume();
    this.#settle();
  }

  /** Becomes idle if its connection has ended on both sides and nothing of it is in use. */
  #settle(): void {
    const user = this.#user;
    if (this.#state !== "ending" || user === undefined || this.#closed) return;
    if (!this.#finSent || this.#blocked || this.stream.pendingBytes > 0) return;
    this.#user = undefined;
    user.detach();
    this.#state = "idle";
    this.#finSent = false;
    this.stream.rest();
    if (this.#ended || (this.#owner.role === "entry" && this.#sent > MAX_REUSED_BYTES)) {
      this.stream.destroy();
      return;
    }
    this.#owner.onReusable(this);
    if (this.#held !== undefined) this.#takeHeld(this.#held);
  }

  onEnd(): void {
    this.#ended = true;
    // An entry that uses it no more: the target has all to come, but may not have read it yet.
    const over = this.#owner.role === "exit" && this.#state === "ending" && this.#finSent;
    if (this.idle) this.stream.destroy();
    else if (!over) this.stream.reset();
  }

  onError(_error: Error): void {
    // `close` follows.
  }

  onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.idle) this.#owner.onGone(this);
    // It still knows this connection: what it holds of the last read is free when it resumes.
    this.#user?.reader.onClose();
  }
}

/** A u32 in a frame's body. */
function number(body: string, at: number): number {
  return Buffer.from(body, "latin1").readUInt32BE(at);
}

function outside(what: string): TunnelError {
  return new TunnelError("FRAME_INVALID", `${what} frame outside a connection's life`);
}
