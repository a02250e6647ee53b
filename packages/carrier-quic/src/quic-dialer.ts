import { randomBytes, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  type CarrierDialTerms,
  certificateFingerprint,
  certificateMismatch,
  type SharedConnection,
  SharedDialer,
  TunnelError,
} from "@nodepass/tunnel-core";
import { clientConfig } from "./quic-config.ts";
import { QuicConnection, type QuicConnectionOptions } from "./quic-connection.ts";
import { CONNECTION_ID_BYTES, loadQuiche, withoutZone } from "./quiche.ts";
import { openUdpPort, type UdpPort } from "./udp-port.ts";

/** A client's side: one QUIC connection for all streams of a session. */
export class QuicDialer extends SharedDialer {
  readonly #terms: CarrierDialTerms;

  constructor(terms: CarrierDialTerms) {
    super();
    this.#terms = terms;
  }

  protected async connect(signal: AbortSignal): Promise<SharedConnection> {
    const { address } = this.#terms;
    let connection: QuicConnection | undefined;
    const udp = await openUdpPort({
      at: { host: isIP(address) === 6 ? "::" : "0.0.0.0", port: 0 },
      onPacket: (packet, from) => connection?.receive(packet, from),
      onError: (error) => connection?.close(error),
    });
    try {
      signal.throwIfAborted();
      return await new Promise((resolve, reject) => {
        const aborted = (): void => connection?.close(signal.reason);
        connection = this.#begin(udp, {
          onEstablished: (established) => {
            if (!this.#check(established)) return;
            signal.removeEventListener("abort", aborted);
            resolve(established);
          },
          onClosed: (closed, error) => {
            udp.close();
            // Before it stood, or after.
            reject(error);
            this.onLost(closed, error);
          },
        });
        signal.addEventListener("abort", aborted, { once: true });
      });
    } catch (error) {
      udp.close();
      throw error;
    }
  }

  /** @throws what the library says, of a name that TLS can't ask for */
  #begin(
    udp: UdpPort,
    on: Pick<QuicConnectionOptions, "onEstablished" | "onClosed">,
  ): QuicConnection {
    const { address, port, serverName, tls, reportIntervalMs: pingMs } = this.#terms;
    if (tls === undefined) throw new TunnelError("PEER_LOST", "QUIC is never without TLS");
    const quiche = loadQuiche();
    const remote = { host: address, port };
    const native = quiche.Connection.connect(
      serverName ?? null,
      randomBytes(CONNECTION_ID_BYTES),
      udp.local,
      withoutZone(remote),
      clientConfig(quiche, tls, pingMs),
    );
    return new QuicConnection({
      ...{ quiche, native, local: udp.local, remote, ownFingerprint: undefined, pingMs, ...on },
      send: (packet, to) => udp.send(packet, to),
      // A server opens none.
      onStream: (stream) => stream.destroy(),
      onStreamClosed: (connection) => this.onRoom(connection),
    });
  }

  /** The certificate is looked at before a byte is sent. @returns whether it will do */
  #check(connection: QuicConnection): boolean {
    const { tls, serverName, address } = this.#terms;
    const [leaf] = connection.native.peerCertChain() ?? [];
    const seen = leaf === undefined ? undefined : certificateFingerprint(leaf);
    connection.peerFingerprint = seen;
    const mismatch = certificateMismatch(seen, tls?.pin);
    if (mismatch !== undefined) {
      connection.close(mismatch);
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
}
