import type { TLSSocket } from "node:tls";
import { adoptTcp } from "../stream/tcp-stream.ts";
import { adoptTls } from "../stream/tls-stream.ts";
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
import { TransportDial } from "./transport-dial.ts";

/** `type` 0: each stream is a TCP connection, with TLS or without. */
export const tcpCarrier: Carrier = {
  type: 0,
  dial: (terms) => new TcpDialer(terms),
  listen: (terms) => Promise.resolve(new TcpListener(terms)),
};

class TcpDialer implements CarrierDialer {
  readonly #terms: CarrierDialTerms;
  readonly #dials = new Set<TransportDial>();

  constructor(terms: CarrierDialTerms) {
    this.#terms = terms;
  }

  open(wanted: StreamWanted): StreamDial {
    const dial = new TransportDial(this.#terms, {
      onTransport: (stream, early) => {
        this.#dials.delete(dial);
        wanted.onStream(stream, early);
      },
      onFailed: (error) => {
        this.#dials.delete(dial);
        wanted.onFailed(error);
      },
    });
    this.#dials.add(dial);
    return dial;
  }

  close(): void {
    for (const dial of this.#dials) dial.cancel();
    this.#dials.clear();
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
    const stream =
      socket === raw
        ? adoptTcp(raw, buffers)
        : adoptTls(socket as TLSSocket, raw, buffers, { own: fingerprint });
    onStream({ stream, address, early, wantsId: silent, known: () => newcomer.known() });
  }

  close(): void {}
}
