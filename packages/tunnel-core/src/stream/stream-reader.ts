import { connect, type NetConnectOpts, type OnReadOpts, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { readFast } from "./fast-read.ts";
import type { RelayBuffers } from "./relay-buffers.ts";

/**
 * Who handles a socket's events now. A socket keeps its five listeners for life; what it is used
 * for (being proved, idle in the pool, relaying) changes by changing its reader, so no listener is
 * added or removed and no closure made per connection.
 */
export interface StreamReader {
  /**
   * `length` bytes have arrived at the start of `buffer`. Unless `owned`, the buffer is read into
   * again after this call.
   *
   * @returns false to stop reading until `socket.resume()`
   */
  onBytes(buffer: Buffer, length: number, owned: boolean): boolean;
  /** The other side has sent its FIN. */
  onEnd(): void;
  /** All that was written has been handed to the system. */
  onDrain(): void;
  onError(error: Error): void;
  onClose(): void;
}

const READER = Symbol("reader");
const FRESH = Symbol("fresh");

/** A socket whose events go to a `StreamReader`. */
export interface Stream extends Socket {
  [READER]: StreamReader;
  /** A TLS stream in the turn of the event loop in which it was adopted. */
  [FRESH]?: boolean;
  /** The TCP socket under a TLS stream; itself on a plain one. */
  raw: Socket;
  /** Fingerprint of the peer's certificate, on a TLS stream that was dialled. */
  peerFingerprint?: string | undefined;
  /** Fingerprint of our own certificate, on a TLS stream that was accepted. */
  ownFingerprint?: string | undefined;
}

function onRead(this: Socket, length: number, buffer: Uint8Array): boolean {
  return (this as Stream)[READER].onBytes(buffer as Buffer, length, false);
}
function onData(this: Stream, chunk: Buffer): void {
  if (!this[READER].onBytes(chunk, chunk.length, true)) this.pause();
}
function onEnd(this: Stream): void {
  this[READER].onEnd();
}
function onDrain(this: Stream): void {
  this[READER].onDrain();
}
function onError(this: Stream, error: Error): void {
  this[READER].onError(error);
}
function onClose(this: Stream): void {
  this[READER].onClose();
}

function listen(stream: Stream): void {
  stream.on("end", onEnd);
  stream.on("drain", onDrain);
  stream.on("error", onError);
  stream.on("close", onClose);
}

function age(stream: Stream): void {
  stream[FRESH] = false;
}

/** Changes who handles the stream's events. */
export function setReader(stream: Stream, reader: StreamReader): void {
  stream[READER] = reader;
}

/**
 * Makes a connected socket (accepted, or TLS) a stream that reads without allocations where Node
 * can, by `data` events where it can't. It goes on reading if it was reading.
 *
 * @param socket accepted or TLS socket; nothing may be left in its read buffer
 * @param raw the TCP socket under it (itself when plain)
 */
export function adoptSocket(
  socket: Socket | TLSSocket,
  raw: Socket,
  reader: StreamReader,
  buffers: RelayBuffers,
): Stream {
  const stream = socket as Stream;
  stream[READER] = reader;
  stream.raw = raw;
  if (raw !== socket) {
    stream[FRESH] = true;
    setImmediate(age, stream);
  }
  listen(stream);
  if (!readFast(stream, buffers.nextBuffer, onRead)) stream.on("data", onData);
  return stream;
}

/** Idle time, ms, after which the system probes a pool connection: NATs forget silent ones. */
export const KEEP_ALIVE_MS = 30_000;

export interface DialOptions {
  /** IP address, not a name. */
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string | undefined;
  /** Have the system probe the connection while it is idle. */
  readonly keepAlive?: boolean | undefined;
}

/** Dials a TCP stream; the reader learns of failure by `onError` and `onClose`. */
export function dialStream(
  options: DialOptions,
  reader: StreamReader,
  buffers: RelayBuffers,
  onConnect: () => void,
): Stream {
  const tcp: NetConnectOpts = {
    host: options.address,
    port: options.port,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    allowHalfOpen: true,
    noDelay: true,
    ...(options.keepAlive === true && {
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    }),
    // The address is an IP: no second attempt under another family.
    autoSelectFamily: false,
    onread: { buffer: buffers.nextBuffer, callback: onRead as OnReadOpts["callback"] },
  };
  // With a mark of 0, write() is true exactly when nothing is pending (docs/performance.md).
  const stream = connect(Object.assign(tcp, { highWaterMark: 0 })) as Stream;
  stream[READER] = reader;
  stream.raw = stream;
  stream.on("connect", onConnect);
  listen(stream);
  return stream;
}

/** Ends a stream at once so that the other side sees a reset, not an end (also through TLS). */
export function resetStream(stream: Stream): void {
  if (stream.destroyed) return;
  const { raw } = stream;
  const plain = raw === stream;
  if (raw.destroyed || raw.connecting) {
    if (stream[FRESH] !== true) stream.destroy();
  } else if (stream.writableEnded && !stream.writableFinished && stream.writableLength === 0) {
    // The FIN is on its way: libuv refuses a reset meanwhile (EINVAL), and Node would never close
    // the handle. A plain socket is done with it in the next turn of the loop; TLS may not be.
    if (plain) stream.once("finish", resetNow);
    else {
      stream.destroy();
      raw.destroy();
    }
  } else {
    raw.resetAndDestroy();
    if (plain) return;
    // In the turn in which its TLS handshake ends Node would crash (a SIGSEGV, seen with 26.10).
    if (stream[FRESH] === true) setImmediate(destroyNow, stream);
    else stream.destroy();
  }
}

function resetNow(this: Socket): void {
  this.resetAndDestroy();
}

function destroyNow(stream: Stream): void {
  stream.destroy();
}
