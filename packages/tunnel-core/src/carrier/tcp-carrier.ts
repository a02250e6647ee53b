import type { TLSSocket } from "node:tls";
import { TunnelError } from "../errors.ts";
import type { StreamReader } from "../stream/byte-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { adoptTcp, dialTcp, KEEP_ALIVE_MS, type TcpStream } from "../stream/tcp-stream.ts";
import { adoptTls, secureClient } from "../stream/tls-stream.ts";
import type {
  Carrier,
  CarrierDialer,
  CarrierDialTerms,
  CarrierListener,
  CarrierListenTerms,
  NewSocket,
  StreamDial,
  StreamWanted,
} from "./carrier.ts";

/** `type` 0: each stream is a TCP connection, with TLS or without. */
export const tcpCarrier: Carrier = {
  type: 0,
  dial: (terms) => new TcpDialer(terms),
  listen: (terms) => Promise.resolve(new TcpListener(terms)),
};

class TcpDialer implements CarrierDialer {
  readonly terms: CarrierDialTerms;
  readonly dials = new Set<TcpDial>();

  constructor(terms: CarrierDialTerms) {
    this.terms = terms;
  }

  open(wanted: StreamWanted): StreamDial {
    const dial = new TcpDial(this, wanted);
    this.dials.add(dial);
    return dial;
  }

  close(): void {
    for (const dial of [...this.dials]) dial.cancel();
  }
}

/** One connection in the making. */
class TcpDial implements StreamDial, StreamReader {
  readonly #dialer: TcpDialer;
  readonly #wanted: StreamWanted;
  readonly #raw: TcpStream;
  #error: Error | undefined;
  #done = false;

  constructor(dialer: TcpDialer, wanted: StreamWanted) {
    this.#dialer = dialer;
    this.#wanted = wanted;
    const { address, port, buffers } = dialer.terms;
    this.#raw = dialTcp({ address, port, keepAlive: true }, buffers, () => this.#connected());
    this.#raw.setReader(this);
  }

  #connected(): void {
    if (this.#done) return;
    const { address, serverName, tls, buffers } = this.#dialer.terms;
    if (tls === undefined) {
      this.#raw.setReader(DETACHED_READER);
      this.#finish();
      this.#wanted.onStream(this.#raw);
      return;
    }
    secureClient(this.#raw, { ...tls, address, serverName }, buffers, {
      onSecure: (stream) => {
        if (this.#done) {
          stream.destroy();
          return;
        }
        this.#finish();
        this.#wanted.onStream(stream);
      },
      onFailed: (error) => this.#fail(error),
    });
  }

  #finish(): void {
    this.#done = true;
    this.#dialer.dials.delete(this);
  }

  #fail(error: Error): void {
    if (this.#done) return;
    this.#finish();
    this.#raw.destroy();
    this.#wanted.onFailed(error);
  }

  cancel(): void {
    if (this.#done) return;
    this.#finish();
    this.#raw.destroy();
  }

  onBytes(): boolean {
    return false;
  }
  onEnd(): void {}
  onDrain(): void {}
  onError(error: Error): void {
    this.#error = error;
  }
  onClose(): void {
    this.#fail(
      this.#error ??
        new TunnelError("PEER_LOST", "the server closed a pool connection before it was open"),
    );
  }
}

class TcpListener implements CarrierListener {
  readonly #terms: CarrierListenTerms;

  constructor(terms: CarrierListenTerms) {
    this.#terms = terms;
  }

  onSocket(newcomer: NewSocket): void {
    const { buffers, onStream } = this.#terms;
    const { socket, raw, address, early, silent, fingerprint } = newcomer;
    raw.setKeepAlive(true, KEEP_ALIVE_MS);
    const stream =
      socket === raw
        ? adoptTcp(raw, buffers)
        : adoptTls(socket as TLSSocket, raw, buffers, { own: fingerprint });
    onStream({ stream, address, early, wantsId: silent, known: () => newcomer.known() });
  }

  close(): void {}
}
