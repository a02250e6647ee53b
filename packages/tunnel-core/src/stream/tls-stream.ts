import type { Socket } from "node:net";
import type { ConnectionOptions, SecureContext, TLSSocket } from "node:tls";
import { tls as nodeTls } from "../node-tls.ts";
import { certificateMismatch } from "../tls/certificate-pin.ts";
import type { CertificateState } from "../tls/certificate-source.ts";
import { certificateFingerprint } from "../wire/certificate-fingerprint.ts";
import { LEASED, SHARED } from "./byte-stream.ts";
import { DETACHED_READER } from "./detached-reader.ts";
import { readFast } from "./fast-read.ts";
import type { Flushable } from "./flush-queue.ts";
import { type BulkBuffer, HEAD_ROOM_BYTES, type RelayBuffers } from "./relay-buffers.ts";
import { onData, onRead, SocketStream } from "./socket-stream.ts";
import type { TcpStream } from "./tcp-stream.ts";

/** Most plaintext in a TLS record (RFC 8446, 5.1). */
const RECORD_BYTES = 16 * 1024;

/** Fingerprints of the certificates of a TLS connection, as far as they were exchanged. */
export interface StreamCertificates {
  readonly peer?: string | undefined;
  readonly own?: string | undefined;
}

/**
 * A TLS connection as a stream. It brings records of at most 16 KiB, one callback each: those of one
 * turn of the loop are gathered and passed on at once; a shorter one ends the burst and is passed on
 * without delay.
 */
export class TlsStream extends SocketStream implements Flushable {
  flushQueued = false;
  readonly writesAtOnce = false;
  readonly headRoom = HEAD_ROOM_BYTES;
  readonly peerFingerprint: string | undefined;
  readonly ownFingerprint: string | undefined;
  readonly #raw: Socket;
  /** The turn of the loop in which the handshake has ended. */
  #fresh = true;
  #gather: BulkBuffer | undefined;
  #gathered = 0;
  /** What is passed on at this moment. */
  #passing: BulkBuffer | undefined;
  /** Passed on, and still in use by the reader. */
  #held: BulkBuffer[] | undefined;
  #atMost: number | undefined;

  constructor(
    socket: TLSSocket,
    raw: Socket,
    buffers: RelayBuffers,
    certificates: StreamCertificates,
  ) {
    super(socket, buffers);
    this.#raw = raw;
    this.peerFingerprint = certificates.peer;
    this.ownFingerprint = certificates.own;
    setImmediate(age, this);
    if (!readFast(socket, buffers.nextBuffer, onRead)) socket.on("data", onData);
  }

  age(): void {
    this.#fresh = false;
  }

  onRead(length: number, buffer: Buffer): boolean {
    if (this.#atMost !== undefined) this.buffers.next = this.buffers.sharedPrefix(this.#atMost);
    if (this.#gathered === 0 && length < RECORD_BYTES) {
      return this.reader.onBytes(buffer, length, SHARED);
    }
    this.#gather ??= this.buffers.borrow();
    const gather = this.#gather;
    if (gather === undefined) return this.reader.onBytes(buffer, length, SHARED);
    const { body } = gather;
    buffer.copy(body, this.#gathered, 0, length);
    this.#gathered += length;
    const full =
      body.length - this.#gathered < RECORD_BYTES || this.#gathered >= (this.#atMost ?? Infinity);
    if (full || length < RECORD_BYTES) return this.#pass(gather);
    this.buffers.flushes.add(this);
    return true;
  }

  /** Passes on what was gathered. */
  #pass(gather: BulkBuffer): boolean {
    const length = this.#gathered;
    this.#gather = undefined;
    this.#gathered = 0;
    this.#passing = gather;
    const go = this.reader.onBytes(gather.body, length, LEASED);
    if (this.#passing !== undefined) this.buffers.giveBack(gather);
    this.#passing = undefined;
    return go;
  }

  hold(): void {
    const gather = this.#passing;
    if (gather === undefined) return;
    this.#passing = undefined;
    if (this.#held === undefined) this.#held = [gather];
    else this.#held.push(gather);
  }

  /** End of the turn. */
  flush(): void {
    const gather = this.#gather;
    if (gather === undefined || this.#gathered === 0) return;
    if (!this.#pass(gather)) this.socket.pause();
  }

  override resume(): void {
    this.#release();
    if (!this.ended) super.resume();
  }

  #release(): void {
    if (this.#held === undefined) return;
    for (const buffer of this.#held) this.buffers.giveBack(buffer);
    this.#held = undefined;
  }

  readAtMost(bytes: number | undefined): void {
    this.#atMost = bytes;
  }

  /** It has nothing of its own between two reads. */
  rest(): void {}

  override onEnd(): void {
    this.flush();
    super.onEnd();
  }

  override onClose(): void {
    if (this.#gather !== undefined) this.buffers.giveBack(this.#gather);
    this.#gather = undefined;
    this.#gathered = 0;
    super.onClose();
  }

  /** Resets the connection underneath. */
  reset(): void {
    const { socket } = this;
    const raw = this.#raw;
    if (socket.destroyed) return;
    if (raw.destroyed) {
      if (!this.#fresh) socket.destroy();
    } else if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) {
      // The FIN is on its way, see `TcpStream.reset`; here it may not be done with it soon.
      socket.destroy();
      raw.destroy();
    } else {
      raw.resetAndDestroy();
      // In the turn in which its TLS handshake ends Node would crash (a SIGSEGV, seen with 26.10).
      if (this.#fresh) setImmediate(destroyNow, socket);
      else socket.destroy();
    }
  }
}

function age(stream: TlsStream): void {
  stream.age();
}

function destroyNow(socket: Socket): void {
  socket.destroy();
}

export interface TlsDialOptions {
  /** 1 accepts any certificate (or only `pin`), 2 verifies chain and name. */
  readonly mode: 1 | 2;
  readonly serverName: string | undefined;
  /** IP address of the server: without a name the certificate has to be for it. */
  readonly address: string;
  readonly context: SecureContext;
  /** Fingerprint of the only certificate that will do. */
  readonly pin: string | undefined;
}

export interface TlsDialed {
  onSecure(stream: TlsStream): void;
  /** Not called after `onSecure`. The connection underneath may still be open. */
  onFailed(error: Error): void;
}

/**
 * Makes a TLS client of a connected stream, which is used no more by anybody else.
 *
 * @param raw connected; has read nothing that is TLS's
 */
export function secureClient(
  raw: TcpStream,
  options: TlsDialOptions,
  buffers: RelayBuffers,
  dialed: TlsDialed,
): void {
  const tls: ConnectionOptions = {
    socket: raw.socket,
    // Which versions of TLS will do is the context's matter: Node asks no option beside it.
    secureContext: options.context,
    rejectUnauthorized: options.mode === 2,
    // Node's default is `localhost`.
    host: options.address,
    ...(options.serverName !== undefined && { servername: options.serverName }),
  };
  const socket = nodeTls().connect(Object.assign(tls, { highWaterMark: 0 }));
  const failed = (error: Error): void => dialed.onFailed(error);
  socket.on("error", failed);
  socket.once("secureConnect", () => {
    // Asked for at once: Node 22.12 forgets the certificate soon after the handshake.
    const peer = peerFingerprint(socket);
    const mismatch = certificateMismatch(peer, options.pin);
    if (mismatch !== undefined) {
      dialed.onFailed(mismatch);
      return;
    }
    raw.setReader(DETACHED_READER);
    const stream = new TlsStream(socket, raw.socket, buffers, { peer });
    socket.off("error", failed);
    dialed.onSecure(stream);
  });
}

function peerFingerprint(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : certificateFingerprint(certificate.raw);
}

/**
 * The server's side of TLS on an accepted socket; `adoptTls` makes a stream of it when `secure` has
 * come.
 *
 * @param raw made with a high-water mark of 0; the ClientHello is in its read buffer
 * @param protocols ALPN
 */
export function secureServer(
  raw: Socket,
  certificate: CertificateState,
  protocols?: readonly string[],
  choose?: (serverName: string) => CertificateState,
): TLSSocket {
  const options = {
    isServer: true,
    secureContext: certificate.context,
    highWaterMark: 0,
    ...(protocols !== undefined && { ALPNProtocols: [...protocols] }),
    ...(choose !== undefined && {
      SNICallback: (name: string, done: (error: Error | null, context: SecureContext) => void) =>
        done(null, choose(name).context),
    }),
  };
  return new (nodeTls().TLSSocket)(raw, options);
}

/** Makes a secured socket a stream, see `adoptTcp`. */
export function adoptTls(
  socket: TLSSocket,
  raw: Socket,
  buffers: RelayBuffers,
  certificates: StreamCertificates,
): TlsStream {
  return new TlsStream(socket, raw, buffers, certificates);
}
