import { randomBytes, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  type CarrierDialTerms,
  certificateFingerprint,
  SharedDialer,
  TunnelError,
} from "@nodepass/tunnel-core";
import { clientConfig } from "./quic-config.ts";
import { QuicConnection } from "./quic-connection.ts";
import type { QuicStream } from "./quic-stream.ts";
import { loadQuiche, type QuicheConnection, withoutZone } from "./quiche.ts";
import { openUdpPort, type UdpPort } from "./udp-port.ts";

/** Bytes of a connection id. */
const ID_BYTES = 20;

/** A client's side: one QUIC connection for all streams of a session. */
export class QuicDialer extends SharedDialer {
  readonly #terms: CarrierDialTerms;
  #port: UdpPort | undefined;
  #connection: QuicConnection | undefined;

  constructor(terms: CarrierDialTerms) {
    super();
    this.#terms = terms;
  }

  protected async connect(): Promise<void> {
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
    if (this.closed) {
      udp.close();
      return;
    }
    const remote = { host: address, port };
    let native: QuicheConnection;
    try {
      native = quiche.Connection.connect(
        serverName ?? null,
        randomBytes(ID_BYTES),
        udp.local,
        withoutZone(remote),
        config,
      );
    } catch (error) {
      // A name that TLS can't ask for.
      udp.close();
      throw error;
    }
    this.#port = udp;
    await new Promise<void>((resolve, reject) => {
      this.#connection = new QuicConnection({
        quiche,
        native,
        local: udp.local,
        remote,
        ownFingerprint: undefined,
        pingMs,
        send: (packet, to) => udp.send(packet, to),
        onEstablished: (connection) => {
          if (this.#check(connection)) resolve();
        },
        // A server opens none.
        onStream: (stream) => stream.destroy(),
        onStreamClosed: () => this.serve(),
        onClosed: (_connection, error) => {
          // Before it stood, or after.
          reject(error);
          this.#lost(error);
        },
      });
    });
  }

  /** The certificate is looked at before a byte is sent. @returns whether it will do */
  #check(connection: QuicConnection): boolean {
    const { tls, serverName, address } = this.#terms;
    const [leaf] = connection.native.peerCertChain() ?? [];
    const seen = leaf === undefined ? undefined : certificateFingerprint(leaf);
    connection.peerFingerprint = seen;
    if (tls?.pin !== undefined && seen !== tls.pin) {
      const message = `the certificate ${seen ?? "(none)"} is not the server's proved one, ${tls.pin}`;
      connection.close(new TunnelError("PEER_CERTIFICATE_MISMATCH", message));
      return false;
    }
    // A name is checked by the library; without one the certificate has to be for the address.
    const unnamed = tls?.mode === 2 && serverName === undefined;
    if (unnamed && new X509Certificate(leaf ?? "").checkIP(address) === undefined) {
      connection.close(
        new TunnelError("PEER_LOST", `the server's certificate is not for the address ${address}`),
      );
      return false;
    }
    return true;
  }

  protected isOpen(): boolean {
    return this.#connection?.established === true;
  }

  protected openStream(): QuicStream | undefined {
    return this.#connection?.open();
  }

  protected streamCount(): number {
    return this.#connection?.streams ?? 0;
  }

  protected disconnect(): void {
    this.#connection?.close(new TunnelError("CLOSED", "the session has ended"));
  }

  #lost(error: Error): void {
    this.#port?.close();
    this.#port = undefined;
    this.#connection = undefined;
    this.refuse(error);
  }
}
