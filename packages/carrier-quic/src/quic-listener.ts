import { randomBytes } from "node:crypto";
import {
  type CarrierListener,
  type CarrierListenTerms,
  Newcomers,
  ProvedConnections,
  TunnelError,
} from "@nodepass/tunnel-core";
import { serverConfig } from "./quic-config.ts";
import { QuicConnection } from "./quic-connection.ts";
import {
  CONNECTION_ID_BYTES,
  loadQuiche,
  type QuicAddress,
  type Quiche,
  type QuicheConfig,
  withoutZone,
} from "./quiche.ts";
import { openUdpPort, type UdpPort } from "./udp-port.ts";

/** Least bytes of a client's first packet (RFC 9000, section 14.1). */
const MIN_INITIAL_BYTES = 1200;

/** A server's side: UDP on the tunnel address, a QUIC connection for each client. */
export class QuicListener implements CarrierListener {
  readonly #terms: CarrierListenTerms;
  readonly #quiche: Quiche;
  /** By connection id. */
  readonly #connections = new Map<string, QuicConnection>();
  /** Those that no stream has proved yet: anybody can open one, and streams on it. */
  readonly #newcomers: Newcomers;
  readonly #proved: ProvedConnections;
  #udp: UdpPort | undefined;
  #config: { readonly fingerprint: string; readonly config: QuicheConfig } | undefined;
  #closed = false;

  private constructor(terms: CarrierListenTerms, quiche: Quiche) {
    this.#terms = terms;
    this.#quiche = quiche;
    this.#newcomers = new Newcomers(terms.newcomers);
    this.#proved = new ProvedConnections(terms.newcomers.sessions);
  }

  /** @throws {TunnelError} `ADDRESS_IN_USE`, `BIND_FAILED`, `UNSUPPORTED_POOL_TYPE` */
  static async open(terms: CarrierListenTerms): Promise<QuicListener> {
    const listener = new QuicListener(terms, loadQuiche());
    await listener.#bind();
    return listener;
  }

  async #bind(): Promise<void> {
    const { host, port, log } = this.#terms;
    this.#udp = await openUdpPort({
      at: { host, port },
      onPacket: (packet, from) => this.#receive(packet, from),
      onError: ({ message }) => {
        log("error", "udp socket of the tunnel address failed", { error: message });
      },
    });
  }

  #receive(packet: Buffer, from: QuicAddress): void {
    let header: ReturnType<Quiche["Header"]["fromSlice"]>;
    try {
      header = this.#quiche.Header.fromSlice(packet, CONNECTION_ID_BYTES);
    } catch {
      // No QUIC: anybody may send anything to a UDP port.
      return;
    }
    const known = this.#connections.get(Buffer.from(header.dcid).toString("hex"));
    if (known !== undefined) {
      known.receive(packet, from);
      return;
    }
    const fresh = header.ty === this.#quiche.Type.Initial && packet.length >= MIN_INITIAL_BYTES;
    if (!fresh || this.#closed) return;
    try {
      if (this.#quiche.versionIsSupported(header.version)) this.#accept(packet, from);
      else this.#negotiate(header, from);
    } catch (error) {
      // What the library refuses is this packet's matter alone.
      const reason = error instanceof Error ? error.message : String(error);
      this.#terms.log("warn", "quic connection refused", { address: from.host, reason });
    }
  }

  #negotiate(header: { scid: Uint8Array; dcid: Uint8Array }, from: QuicAddress): void {
    const answer = Buffer.alloc(this.#quiche.MAX_DATAGRAM_SIZE);
    const length = this.#quiche.negotiateVersion(header.scid, header.dcid, answer);
    this.#udp?.send(answer.subarray(0, length), from);
  }

  #accept(packet: Buffer, from: QuicAddress): void {
    const udp = this.#udp;
    const config = this.#current();
    if (udp === undefined || config === undefined) return;
    const id = randomBytes(CONNECTION_ID_BYTES);
    const key = id.toString("hex");
    const connection = new QuicConnection({
      quiche: this.#quiche,
      native: this.#quiche.Connection.accept(id, null, udp.local, withoutZone(from), config.config),
      local: udp.local,
      remote: from,
      ownFingerprint: config.fingerprint,
      pingMs: this.#terms.reportIntervalMs,
      send: (data, to) => udp.send(data, to),
      onEstablished: () => {},
      onStream: (stream) => {
        if (this.#closed) stream.destroy();
        else {
          const known = (): void => {
            if (this.#proved.add(connection)) this.#newcomers.delete(connection);
          };
          this.#terms.onStream({ stream, address: from.host, asksId: true, known });
        }
      },
      onStreamClosed: (open) => this.#closeIfDone(open),
      onClosed: () => {
        this.#connections.delete(key);
        this.#newcomers.delete(connection);
        this.#proved.delete(connection);
        this.#closeUdpIfDone();
      },
    });
    this.#connections.set(key, connection);
    this.#newcomers.add(connection);
    connection.receive(packet, from);
  }

  /** The settings with the certificate in force now. */
  #current(): { readonly fingerprint: string; readonly config: QuicheConfig } | undefined {
    const state = this.#terms.certificate?.current();
    if (state === undefined) return undefined;
    if (this.#config?.fingerprint !== state.fingerprint) {
      this.#config = {
        fingerprint: state.fingerprint,
        config: serverConfig(this.#quiche, state.pem(), this.#terms.reportIntervalMs),
      };
    }
    return this.#config;
  }

  /** Takes no more; streams that still carry somebody keep their connection, and the port. */
  close(): void {
    this.#closed = true;
    this.#newcomers.close();
    for (const connection of [...this.#connections.values()]) this.#closeIfDone(connection);
    this.#closeUdpIfDone();
  }

  #closeIfDone(connection: QuicConnection): void {
    if (!this.#closed || connection.streams > 0) return;
    connection.close(new TunnelError("CLOSED", "the server closes"));
  }

  #closeUdpIfDone(): void {
    if (!this.#closed || this.#connections.size > 0) return;
    this.#udp?.close();
    this.#udp = undefined;
  }
}
