import { connect, type NetConnectOpts, type OnReadOpts, type Socket } from "node:net";
import { LEASED, SHARED } from "./byte-stream.ts";
import { readFast } from "./fast-read.ts";
import { type BulkBuffer, HEAD_ROOM_BYTES, type RelayBuffers } from "./relay-buffers.ts";
import { onData, onRead, SocketStream, streamOf } from "./socket-stream.ts";

/** Reads up to this size come in the shared buffer and don't ask for a bulk buffer. */
const SMALL_READ_BYTES = 8 * 1024;
/** Small reads in a row after which a bulk buffer is given back. */
const SMALL_READS_BEFORE_GIVING_BACK = 64;
/**
 * Idle time, ms, after which the system probes a connection, on every socket that is accepted or
 * dialled and lasts: NATs and firewalls forget silent ones. The value is that of Go programs.
 */
export const KEEP_ALIVE_MS = 15_000;

/** A TCP connection as a stream. */
export class TcpStream extends SocketStream {
  readonly writesAtOnce = true;
  readonly headRoom = HEAD_ROOM_BYTES;
  readonly peerFingerprint = undefined;
  readonly ownFingerprint = undefined;
  /** What a busy stream reads into. */
  #bulk: BulkBuffer | undefined;
  #smallReads = 0;
  #held = false;
  #rests = false;
  #atMost: number | undefined;
  #closed = false;
  /** Who waits for it, while it is dialled. */
  wanted: TcpWanted | undefined;

  onRead(length: number, buffer: Buffer): boolean {
    const bulk = this.#bulk;
    const go = this.reader.onBytes(buffer, length, bulk?.read === buffer ? LEASED : SHARED);
    if (this.#atMost !== undefined) {
      // Little at a time, so that the reader doesn't run deep into debt with its rate limit.
      if (!this.#held) this.#giveBack();
      this.buffers.next = this.buffers.sharedPrefix(this.#atMost);
      return go;
    }
    if (bulk === undefined) {
      // Not for a stream whose reader has no more use for it: it may be idle for long.
      if (length <= SMALL_READ_BYTES || this.#rests) this.#rests = false;
      else this.#bulk = this.buffers.borrow();
      this.#smallReads = 0;
    } else if (!this.#held) {
      if (length > SMALL_READ_BYTES) this.#smallReads = 0;
      else this.#smallReads++;
      if (this.#rests || this.#smallReads >= SMALL_READS_BEFORE_GIVING_BACK) this.#giveBack();
    }
    if (this.#bulk !== undefined) this.buffers.next = this.#bulk.read;
    return go;
  }

  hold(): void {
    if (this.#bulk !== undefined) this.#held = true;
  }

  override resume(): void {
    this.#held = false;
    if (this.ended || this.#closed) this.#giveBack();
    else if (!this.socket.destroyed) this.socket.resume();
  }

  readAtMost(bytes: number | undefined): void {
    this.#atMost = bytes;
  }

  /** Takes effect after a read, where the next one's memory is chosen: it may be in use till then. */
  rest(): void {
    this.#rests = true;
  }

  override end(done?: () => void): void {
    // Both sides have ended and nothing is pending: closing says the same as shutdown, then close.
    if (this.ended && done === undefined && this.pendingBytes === 0) this.socket.destroy();
    else super.end(done);
  }

  keepAlive(): void {
    if (!this.socket.destroyed) this.socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  reset(): void {
    const { socket } = this;
    if (socket.destroyed) return;
    if (socket.connecting) {
      socket.destroy();
    } else if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) {
      // The FIN is on its way: libuv refuses a reset meanwhile (EINVAL), and Node would never close
      // the handle. It is done with it in the next turn of the loop.
      socket.once("finish", resetNow);
    } else {
      socket.resetAndDestroy();
    }
  }

  override onEnd(): void {
    super.onEnd();
    if (!this.#held) this.#giveBack();
  }

  override onClose(): void {
    this.#closed = true;
    super.onClose();
    if (!this.#held) this.#giveBack();
  }

  #giveBack(): void {
    this.#rests = false;
    this.#smallReads = 0;
    if (this.#bulk === undefined) return;
    this.buffers.giveBack(this.#bulk);
    this.#bulk = undefined;
  }
}

/** The stream lives long; who dialled it need not. */
function onConnected(this: Socket): void {
  const stream = streamOf(this) as TcpStream;
  const { wanted } = stream;
  stream.wanted = undefined;
  wanted?.onConnect();
}

function resetNow(this: Socket): void {
  this.resetAndDestroy();
}

/**
 * Makes an accepted socket a stream that reads without allocations where Node can, by `data` events
 * where it can't. It goes on reading if it was reading.
 *
 * @param socket made with a high-water mark of 0; nothing may be left in its read buffer
 */
export function adoptTcp(socket: Socket, buffers: RelayBuffers): TcpStream {
  const stream = new TcpStream(socket, buffers);
  if (!readFast(socket, buffers.nextBuffer, onRead)) socket.on("data", onData);
  return stream;
}

export interface TcpDialOptions {
  /** IP address, not a name. */
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string | undefined;
  /** Probed from the start (`KEEP_ALIVE_MS`), not when `keepAlive()` says so. @default false */
  readonly keepAlive?: boolean | undefined;
}

/** Who wants a TCP stream that is dialled. */
export interface TcpWanted {
  onConnect(): void;
}

/** Dials a TCP stream; its reader learns of failure by `onError` and `onClose`. */
export function dialTcp(
  { address, port, localAddress, keepAlive }: TcpDialOptions,
  buffers: RelayBuffers,
  wanted: TcpWanted,
): TcpStream {
  const tcp: NetConnectOpts & { readonly highWaterMark: number } = {
    host: address,
    port,
    localAddress,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: keepAlive === true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    // The address is an IP: no second attempt under another family.
    autoSelectFamily: false,
    onread: { buffer: buffers.nextBuffer, callback: onRead as OnReadOpts["callback"] },
    highWaterMark: 0,
  };
  const socket = connect(tcp);
  socket.on("connect", onConnected);
  const stream = new TcpStream(socket, buffers);
  stream.wanted = wanted;
  return stream;
}
