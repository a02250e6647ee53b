import type { Socket } from "node:net";
import { type ByteStream, OWNED, type StreamReader } from "./byte-stream.ts";
import { DETACHED_READER } from "./detached-reader.ts";
import { isHiddenReset, RESETS_MAY_HIDE } from "./hidden-reset.ts";
import type { RelayBuffers } from "./relay-buffers.ts";

const STREAM = Symbol("stream");

/** A socket that is one stream's. It keeps its listeners for life; they are shared functions. */
interface StreamSocket extends Socket {
  [STREAM]: SocketStream;
}

/** The stream that a socket of ours is. */
export function streamOf(socket: Socket): SocketStream {
  return (socket as StreamSocket)[STREAM];
}

/** The `onread` callback of every socket of ours. */
export function onRead(this: Socket, length: number, buffer: Uint8Array): boolean {
  return (this as StreamSocket)[STREAM].onRead(length, buffer as Buffer);
}
/** Reads by events, where Node has no faster way. */
export function onData(this: Socket, chunk: Buffer): void {
  const { reader } = (this as StreamSocket)[STREAM];
  if (!reader.onBytes(chunk, chunk.length, OWNED)) this.pause();
}
function onEnd(this: Socket): void {
  (this as StreamSocket)[STREAM].onEnd();
}
/** In place of `onEnd` where resets may hide. */
function onEndOrReset(this: Socket): void {
  const reset = isHiddenReset(this);
  // If it is one, the socket is about to fail by itself.
  if (reset === undefined) setImmediate(endUnlessReset, this);
  else if (!reset) (this as StreamSocket)[STREAM].onEnd();
}
function endUnlessReset(socket: Socket): void {
  if (!socket.destroyed && socket.errored === null) (socket as StreamSocket)[STREAM].onEnd();
}
function onDrain(this: Socket): void {
  (this as StreamSocket)[STREAM].reader.onDrain();
}
function onFinish(this: Socket): void {
  (this as StreamSocket)[STREAM].onFinish();
}
function onError(this: Socket, error: Error): void {
  (this as StreamSocket)[STREAM].reader.onError(error);
}
function onClose(this: Socket): void {
  (this as StreamSocket)[STREAM].onClose();
}

/**
 * What streams over TCP and over TLS have in common.
 *
 * Their sockets have a high-water mark of 0, whatever mark a host program has set as the default:
 * then `write` of the socket is true exactly when nothing is pending, and `drain` comes exactly when
 * nothing is any more (docs/performance.md).
 */
export abstract class SocketStream implements ByteStream {
  reader: StreamReader = DETACHED_READER;
  readonly socket: Socket;
  protected readonly buffers: RelayBuffers;
  /** The other side has ended its direction. */
  protected ended = false;
  abstract readonly writesAtOnce: boolean;
  abstract readonly headRoom: number;
  abstract readonly peerFingerprint: string | undefined;
  abstract readonly ownFingerprint: string | undefined;
  #drainAtFinish = false;

  constructor(socket: Socket, buffers: RelayBuffers) {
    if (socket.writableHighWaterMark !== 0) {
      throw new TypeError(
        `a stream's socket has a high-water mark of ${socket.writableHighWaterMark}, not of 0`,
      );
    }
    this.socket = socket;
    this.buffers = buffers;
    (socket as StreamSocket)[STREAM] = this;
    // Not over TLS: what is written there is never nothing.
    const mayHide = RESETS_MAY_HIDE && !("encrypted" in socket);
    socket.on("end", mayHide ? onEndOrReset : onEnd);
    socket.on("drain", onDrain);
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  setReader(reader: StreamReader): void {
    this.reader = reader;
  }

  write(bytes: Buffer): boolean {
    return this.socket.write(bytes);
  }

  writeCopy(buffer: Buffer, length: number): boolean {
    const copy = Buffer.allocUnsafe(length);
    buffer.copy(copy, 0, 0, length);
    return this.socket.write(copy);
  }

  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  end(done?: () => void): void {
    const { socket } = this;
    // Node tells of nothing more after an end but of its own finish.
    if (socket.writableLength > 0 && !this.#drainAtFinish) {
      this.#drainAtFinish = true;
      socket.once("finish", onFinish);
    }
    socket.end(done);
  }

  onFinish(): void {
    this.reader.onDrain();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    if (!this.socket.destroyed) this.socket.resume();
  }

  abstract hold(): void;
  abstract readAtMost(bytes: number | undefined): void;
  abstract rest(): void;
  abstract reset(): void;
  /** @returns whether to go on reading */
  abstract onRead(length: number, buffer: Buffer): boolean;

  onEnd(): void {
    this.ended = true;
    this.reader.onEnd();
  }

  onClose(): void {
    this.reader.onClose();
  }

  destroy(): void {
    this.socket.destroy();
  }

  get destroyed(): boolean {
    return this.socket.destroyed;
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }
  get localAddress(): string | undefined {
    return this.socket.localAddress;
  }
  get localPort(): number | undefined {
    return this.socket.localPort;
  }
}
