import { Duplex } from "node:stream";
import {
  type ByteStream,
  type CertificateSource,
  DETACHED_READER,
  Lingerer,
  RelayBuffers,
} from "@nodepass/tunnel-core";
// @boundaries-ignore a test's support, no part of a package
import type { PeerSocket, QuicStack } from "../../../tunnel-core/test/peer-114/index.ts";
import { carrier } from "../../src/index.ts";

/**
 * A stream as a 1.14 node handles it: its close is a FIN, and what still comes is thrown away.
 */
class StreamSocket extends Duplex implements PeerSocket {
  readonly peerFingerprint: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly #stream: ByteStream;
  #written: (() => void) | undefined;

  constructor(stream: ByteStream) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.peerFingerprint = stream.peerFingerprint;
    this.remoteAddress = stream.remoteAddress;
    this.remotePort = stream.remotePort;
    stream.setReader({
      onBytes: (buffer, length) => this.push(Buffer.from(buffer.subarray(0, length))),
      onEnd: () => this.push(null),
      onDrain: () => this.#drained(),
      onError: () => {
        // An end like any other to a relay of 1.14.
      },
      onClose: () => {
        if (!this.readableEnded) this.push(null);
        this.#drained();
        this.destroy();
      },
    });
  }

  #drained(): void {
    const done = this.#written;
    this.#written = undefined;
    done?.();
  }

  setNoDelay(): void {}

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#stream.destroyed || this.#stream.writeCopy(chunk, chunk.length)) done();
    else this.#written = done;
  }

  override _final(done: () => void): void {
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.setReader({ ...DETACHED_READER, onBytes: () => true });
    this.#stream.end();
    this.#stream.resume();
    this.#drained();
    done(error);
  }
}

const common = { path: "/", reportIntervalMs: 400, log: () => {} };

/** The package's own QUIC, for a peer that does with it what a 1.14 node does. */
export const quicStack: QuicStack = {
  async listen({ host, port, certificate, onStream }) {
    const { cert, key, fingerprint } = certificate;
    const state = { context: {} as never, fingerprint, names: [], notAfter: new Date(8.64e15) };
    const source: CertificateSource = {
      current: () => ({ ...state, pem: () => ({ cert, key }) }),
      onChange: () => {},
      close: () => {},
    };
    const listener = await carrier.listen({
      ...{ ...common, host, port, certificate: source },
      ...{ buffers: new RelayBuffers(), lingerer: new Lingerer() },
      newcomers: { timeoutMs: 60_000, onDropped: () => {}, expectsMany: () => true },
      onStream: ({ stream, address, known }) => {
        known?.();
        onStream(new StreamSocket(stream), address);
      },
    });
    return listener;
  },
  dial({ host, port }) {
    const dialer = carrier.dial({
      ...{ ...common, address: host, port, proxy: undefined, serverName: undefined },
      ...{ buffers: new RelayBuffers(), lingerer: new Lingerer() },
      // Only QUIC's own TLS is used.
      tls: { mode: 1, context: {} as never, ca: undefined, pin: undefined },
    });
    return {
      open: () =>
        new Promise((resolve) => {
          dialer.open({
            onStream: (stream) => resolve(new StreamSocket(stream)),
            onFailed: () => resolve(undefined),
          });
        }),
      close: () => dialer.close(),
    };
  },
};
