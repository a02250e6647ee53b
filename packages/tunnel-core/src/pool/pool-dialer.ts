import type { X509Certificate } from "node:crypto";
import {
  type ConnectionOptions,
  connect as connectTls,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { DeadlineQueue } from "../deadline-queue.ts";
import { TunnelError } from "../errors.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import {
  adoptSocket,
  dialStream,
  type Stream,
  type StreamReader,
  setReader,
} from "../stream/stream-reader.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { fingerprint } from "../wire/certificate-fingerprint.ts";
import { poolId } from "../wire/pool-hello.ts";

/** Bytes of the id that a 1.14 server sends on each pool connection. */
const ID_BYTES = 4;

/** How pool connections of a session are made. */
export interface PoolDialTerms {
  readonly address: string;
  readonly port: number;
  /** `undefined`: plain TCP. */
  readonly tls:
    | {
        /** 1 accepts any certificate (pinned by `pin`), 2 verifies chain and name. */
        readonly mode: 1 | 2;
        readonly serverName: string | undefined;
        readonly context: SecureContext;
        /** The only certificate that will do, from the proved answer. */
        readonly pin: string | undefined;
      }
    | undefined;
  /** Makes the hello of a proved session; `undefined` towards a 1.14 server, which sends ids. */
  readonly hello: ((counter: number) => Buffer) | undefined;
}

export interface PoolDialResult {
  onOpen(stream: Stream, id: string, early: Buffer | undefined): void;
  onFailed(error: Error): void;
}

/** Dials pool connections of one session. */
export class PoolDialer {
  readonly context: TunnelContext;
  readonly terms: PoolDialTerms;
  readonly deadlines: DeadlineQueue<PoolDial>;
  #counter = 0;

  constructor(context: TunnelContext, terms: PoolDialTerms) {
    this.context = context;
    this.terms = terms;
    this.deadlines = new DeadlineQueue(context.limits.tcpDialTimeoutMs, (dial) => {
      dial.fail(new Error(`no pool connection within ${context.limits.tcpDialTimeoutMs} ms`));
    });
  }

  /** The first connection of a proved session is its control connection. */
  dial(result: PoolDialResult): void {
    new PoolDial(this, this.#counter++, result);
  }

  /** The hello of this counter was never sent: a control connection that failed is dialled again. */
  giveBack(counter: number): void {
    if (counter === 0) this.#counter = 0;
  }

  close(): void {
    this.deadlines.clear((dial) => dial.fail(new Error("the session has ended")));
  }
}

/** One pool connection in the making. */
class PoolDial implements StreamReader {
  readonly #dialer: PoolDialer;
  readonly #counter: number;
  readonly #result: PoolDialResult;
  readonly #raw: Stream;
  #stream: Stream | undefined;
  #id: Buffer | undefined;
  #error: Error | undefined;
  #done = false;

  constructor(dialer: PoolDialer, counter: number, result: PoolDialResult) {
    this.#dialer = dialer;
    this.#counter = counter;
    this.#result = result;
    const { address, port } = dialer.terms;
    dialer.deadlines.add(this);
    const to = { address, port, keepAlive: true };
    this.#raw = dialStream(to, this, dialer.context.buffers, () => this.#connected());
  }

  #connected(): void {
    if (this.#done) return;
    const { address, tls } = this.#dialer.terms;
    if (tls === undefined) {
      this.#opened(this.#raw);
      return;
    }
    const options: ConnectionOptions = {
      socket: this.#raw,
      secureContext: tls.context,
      minVersion: "TLSv1.3",
      rejectUnauthorized: tls.mode === 2,
      // Without a name the certificate has to be for the address; Node's default is `localhost`.
      host: address,
      ...(tls.serverName !== undefined && { servername: tls.serverName }),
    };
    const secure = connectTls(options);
    const failed = (error: Error): void => this.fail(error);
    secure.on("error", failed);
    secure.once("secureConnect", () => {
      this.#secured(secure);
      // The stream's reader has the errors from here on.
      if (this.#stream !== undefined) secure.off("error", failed);
    });
  }

  #secured(secure: TLSSocket): void {
    if (this.#done) return;
    const pin = this.#dialer.terms.tls?.pin;
    const seen = peerFingerprint(secure);
    if (pin !== undefined && seen !== pin) {
      this.fail(
        new Error(`the certificate ${seen ?? "(none)"} is not the server's proved one, ${pin}`),
      );
      return;
    }
    setReader(this.#raw, DETACHED_READER);
    const stream = adoptSocket(secure, this.#raw, this, this.#dialer.context.buffers);
    // Kept from here: Node 22.12 forgets the certificate soon after the handshake.
    stream.peerFingerprint = seen;
    this.#opened(stream);
  }

  #opened(stream: Stream): void {
    this.#stream = stream;
    const { hello } = this.#dialer.terms;
    if (hello === undefined) {
      stream.resume();
      return;
    }
    stream.write(hello(this.#counter));
    this.#finish(stream, poolId(this.#counter), undefined);
  }

  #finish(stream: Stream, id: string, early: Buffer | undefined): void {
    this.#done = true;
    this.#dialer.deadlines.delete(this);
    setReader(stream, DETACHED_READER);
    this.#result.onOpen(stream, id, early);
    stream.resume();
  }

  /** Towards a 1.14 server: four bytes of id, then what the entry may have sent already. */
  onBytes(buffer: Buffer, length: number): boolean {
    const stream = this.#stream;
    if (this.#done || stream === undefined) return false;
    const bytes = Buffer.from(buffer.subarray(0, length));
    const all = this.#id === undefined ? bytes : Buffer.concat([this.#id, bytes]);
    this.#id = all;
    if (all.length < ID_BYTES) return true;
    const early = all.length > ID_BYTES ? all.subarray(ID_BYTES) : undefined;
    this.#finish(stream, all.toString("hex", 0, ID_BYTES), early);
    return true;
  }

  onEnd(): void {
    this.fail(closedEarly());
  }
  onDrain(): void {}
  onError(error: Error): void {
    this.#error = error;
  }
  onClose(): void {
    this.fail(this.#error ?? closedEarly());
  }

  fail(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    this.#dialer.deadlines.delete(this);
    this.#dialer.giveBack(this.#counter);
    this.#stream?.destroy();
    this.#raw.destroy();
    this.#result.onFailed(error);
  }
}

function closedEarly(): TunnelError {
  return new TunnelError("PEER_LOST", "the server closed a pool connection before it was open");
}

/** The fingerprint of the certificate that the peer showed. */
function peerFingerprint(secure: TLSSocket): string | undefined {
  const certificate: X509Certificate | undefined = secure.getPeerX509Certificate();
  return certificate === undefined ? undefined : fingerprint(certificate.raw);
}
