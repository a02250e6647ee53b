import { randomBytes, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  type CarrierDialer,
  type CarrierDialTerms,
  certificateFingerprint,
  type StreamDial,
  type StreamWanted,
  TunnelError,
} from "@nodepass/tunnel-core";
import { clientConfig } from "./quic-config.ts";
import { QuicConnection } from "./quic-connection.ts";
import { loadQuiche } from "./quiche.ts";
import { openUdpPort, type UdpPort } from "./udp-port.ts";

/** Bytes of a connection id. */
const ID_BYTES = 20;

/** A client's side: one QUIC connection for all streams of a session, dialled with the first. */
export class QuicDialer implements CarrierDialer {
  readonly #terms: CarrierDialTerms;
  readonly #wanted = new Set<Wish>();
  #port: UdpPort | undefined;
  #connection: QuicConnection | undefined;
  #dialing = false;
  #closed = false;

  constructor(terms: CarrierDialTerms) {
    this.#terms = terms;
  }

  open(wanted: StreamWanted): StreamDial {
    const wish = new Wish(this.#wanted, wanted);
    this.#wanted.add(wish);
    if (this.#connection?.established === true) setImmediate(() => this.#serve());
    else this.#dial();
    return wish;
  }

  #dial(): void {
    if (this.#dialing || this.#connection !== undefined || this.#closed) return;
    this.#dialing = true;
    this.#connect().catch((error: unknown) => {
      this.#dialing = false;
      this.#refuseAll(error instanceof Error ? error : new Error(String(error)));
    });
  }

  async #connect(): Promise<void> {
    const { address, port, serverName, tls, reportIntervalMs: pingMs } = this.#terms;
    if (tls === undefined) throw new TunnelError("PEER_LOST", "QUIC is never without TLS");
    const quiche = loadQuiche();
    const config = clientConfig(quiche, tls, pingMs);
    const family = isIP(address) === 6 ? 6 : 4;
    const udp = await openUdpPort({
      family,
      at: { host: family === 6 ? "::" : "0.0.0.0", port: 0 },
      onPacket: (packet, from) => this.#connection?.receive(packet, from),
      onError: (error) => this.#connection?.close(error),
    });
    this.#dialing = false;
    if (this.#closed) {
      udp.close();
      return;
    }
    this.#port = udp;
    const remote = { host: address, port };
    const native = quiche.Connection.connect(
      serverName ?? null,
      randomBytes(ID_BYTES),
      udp.local,
      remote,
      config,
    );
    this.#connection = new QuicConnection({
      quiche,
      native,
      local: udp.local,
      remote,
      ownFingerprint: undefined,
      pingMs,
      send: (packet, to) => udp.send(packet, to),
      onEstablished: (connection) => this.#established(connection),
      // A server opens none.
      onStream: (stream) => stream.destroy(),
      onStreamClosed: () => this.#serve(),
      onClosed: (_connection, error) => this.#lost(error),
    });
  }

  /** The certificate is looked at before a byte is sent. */
  #established(connection: QuicConnection): void {
    const { tls, serverName, address } = this.#terms;
    const [leaf] = connection.native.peerCertChain() ?? [];
    const seen = leaf === undefined ? undefined : certificateFingerprint(leaf);
    connection.peerFingerprint = seen;
    if (tls?.pin !== undefined && seen !== tls.pin) {
      const message = `the certificate ${seen ?? "(none)"} is not the server's proved one, ${tls.pin}`;
      connection.close(new TunnelError("PEER_CERTIFICATE_MISMATCH", message));
      return;
    }
    // A name is checked by the library; without one the certificate has to be for the address.
    const unnamed = tls?.mode === 2 && serverName === undefined;
    if (unnamed && new X509Certificate(leaf ?? "").checkIP(address) === undefined) {
      connection.close(
        new TunnelError("PEER_LOST", `the server's certificate is not for the address ${address}`),
      );
      return;
    }
    this.#serve();
  }

  #serve(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const wish of this.#wanted) {
      const stream = connection.open();
      if (stream === undefined) break;
      this.#wanted.delete(wish);
      wish.wanted.onStream(stream);
    }
    this.#closeIfDone();
  }

  #lost(error: Error): void {
    this.#port?.close();
    this.#port = undefined;
    this.#connection = undefined;
    this.#refuseAll(error);
  }

  #refuseAll(error: Error): void {
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    for (const wish of wanted) wish.wanted.onFailed(error);
  }

  /** Streams that still carry somebody keep the connection. */
  close(): void {
    this.#closed = true;
    this.#wanted.clear();
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    const connection = this.#connection;
    if (!this.#closed || connection === undefined || connection.streams > 0) return;
    connection.close(new TunnelError("CLOSED", "the session has ended"));
  }
}

/** Somebody who waits for a stream. */
class Wish implements StreamDial {
  readonly wanted: StreamWanted;
  readonly #all: Set<Wish>;

  constructor(all: Set<Wish>, wanted: StreamWanted) {
    this.#all = all;
    this.wanted = wanted;
  }

  cancel(): void {
    this.#all.delete(this);
  }
}
