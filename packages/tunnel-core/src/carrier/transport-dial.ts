import { TunnelError } from "../errors.ts";
import { ProxyDial } from "../proxy/proxy-dial.ts";
import type { StreamReader } from "../stream/byte-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { adoptTcp, dialTcp, type TcpStream, type TcpWanted } from "../stream/tcp-stream.ts";
import { secureClient, type TlsStream } from "../stream/tls-stream.ts";
import type { CarrierDialTerms, StreamDial } from "./carrier.ts";

/** Who wants a transport. Exactly one of the two is called, once, never inside the constructor. */
export interface TransportWanted {
  /** @param early what the other side has said already (through a proxy); nothing else was read */
  onTransport(stream: TcpStream | TlsStream, early: Buffer | undefined): void;
  onFailed(error: Error): void;
}

/**
 * A connection to the server in the making: TCP, through a proxy if there is one, then TLS if the
 * terms want it. What the carriers over TCP have in common.
 */
export class TransportDial implements StreamDial, StreamReader, TcpWanted {
  readonly #terms: CarrierDialTerms;
  readonly #wanted: TransportWanted;
  #proxied: ProxyDial | undefined;
  #raw: TcpStream | undefined;
  #error: Error | undefined;
  #done = false;

  constructor(terms: CarrierDialTerms, wanted: TransportWanted) {
    this.#terms = terms;
    this.#wanted = wanted;
    const { address, port, proxy, buffers } = terms;
    if (proxy === undefined) {
      this.#raw = dialTcp({ address, port, keepAlive: true }, buffers, this);
      this.#raw.setReader(this);
      return;
    }
    this.#proxied = new ProxyDial({
      route: { address, port, proxy },
      onConnected: (socket, early) => {
        this.#raw = adoptTcp(socket, buffers);
        this.#raw.setReader(this);
        this.#connected(early);
      },
      onFailed: (error) => this.#fail(error),
    });
  }

  onConnect(): void {
    this.#connected(undefined);
  }

  #connected(early: Buffer | undefined): void {
    const raw = this.#raw;
    if (this.#done || raw === undefined) return;
    const { address, proxy, serverName, tls, buffers } = this.#terms;
    if (tls === undefined) {
      raw.setReader(DETACHED_READER);
      this.#done = true;
      this.#wanted.onTransport(raw, early);
      return;
    }
    if (early !== undefined) {
      this.#fail(new TunnelError("PEER_LOST", "the server spoke before TLS began"));
      return;
    }
    const peer = { ...tls, address: proxy?.to.host ?? address, serverName };
    secureClient(raw, peer, buffers, {
      onSecure: (stream) => {
        if (this.#done) {
          stream.destroy();
          return;
        }
        this.#done = true;
        this.#wanted.onTransport(stream, undefined);
      },
      onFailed: (error) => this.#fail(error),
    });
  }

  #fail(error: Error): void {
    if (this.#done) return;
    this.cancel();
    this.#wanted.onFailed(error);
  }

  cancel(): void {
    if (this.#done) return;
    this.#done = true;
    this.#proxied?.cancel();
    this.#raw?.destroy();
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
