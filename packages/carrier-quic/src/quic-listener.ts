import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { type CarrierListener, type CarrierListenTerms, TunnelError } from "@nodepass/tunnel-core";
import { serverConfig } from "./quic-config.ts";
import { QuicConnection } from "./quic-connection.ts";
import {
  loadQuiche,
  type QuicAddress,
  type Quiche,
  type QuicheConfig,
  withoutZone,
} from "./quiche.ts";
import { openUdpPort, type UdpPort } from "./udp-port.ts";

/** Bytes of a connection id. */
const ID_BYTES = 20;
/** Most connections at once; one client has one, so all but a few are strangers. */
const MAX_CONNECTIONS = 1024;
/** Least bytes of a client's first packet (RFC 9000, section 14.1). */
const MIN_INITIAL_BYTES = 1200;

/** A server's side: UDP on the tunnel address, a QUIC connection for each client. */
export class QuicListener implements CarrierListener {
  readonly #terms: CarrierListenTerms;
  readonly #quiche: Quiche;
  /** By connection id; those that are not established yet are the oldest. */
  readonly #connections = new Map<string, QuicConnection>();
  #udp: UdpPort | undefined;
  #config: { readonly fingerprint: string; readonly config: QuicheConfig } | undefined;
  #closed = false;

  private constructor(terms: CarrierListenTerms, quiche: Quiche) {
    this.#terms = terms;
    this.#quiche = quiche;
  }

  /** @throws {TunnelError} `ADDRESS_IN_USE`, `BIND_FAILED`, `UNSUPPORTED_POOL_TYPE` */
  static async open(terms: CarrierListenTerms): Promise<QuicListener> {
    const listener = new QuicListener(terms, loadQuiche());
    await listener.#bind();
    return listener;
  }

  async #bind(): Promise<void> {
    const { host, port } = this.#terms;
    const all = host === "";
    const options = {
      onPacket: (packet: Buffer, from: QuicAddress) => this.#receive(packet, from),
      onError: (error: Error) => {
        this.#terms.log("error", "udp socket of the tunnel address failed", {
          error: error.message,
        });
      },
    };
    const bind = (at: string): Promise<UdpPort> =>
      openUdpPort({ ...options, family: isIP(at) === 6 ? 6 : 4, at: { host: at, port } });
    try {
      // Without IPv6 on this host.
      this.#udp = all ? await bind("::").catch(() => bind("0.0.0.0")) : await bind(host);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      const where = `${host}:${port} (udp)`;
      const message = error instanceof Error ? error.message : String(error);
      throw code === "EADDRINUSE"
        ? new TunnelError("ADDRESS_IN_USE", `address ${where} is in use`, { cause: error })
        : new TunnelError("BIND_FAILED", `cannot bind ${where}: ${message}`, { cause: error });
    }
  }

  #receive(packet: Buffer, from: QuicAddress): void {
    // Nobody can be answered there.
    if (from.port === 0) return;
    let header: ReturnType<Quiche["Header"]["fromSlice"]>;
    try {
      header = this.#quiche.Header.fromSlice(packet, ID_BYTES);
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
    this.#makeRoom();
    const id = randomBytes(ID_BYTES);
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
        else this.#terms.onStream({ stream, address: from.host, asksId: true });
      },
      onStreamClosed: (open) => this.#closeIfDone(open),
      onClosed: () => {
        this.#connections.delete(key);
        this.#closeUdpIfDone();
      },
    });
    this.#connections.set(key, connection);
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

  /** When there are too many, the oldest that carries no stream goes: it is a stranger's. */
  #makeRoom(): void {
    if (this.#connections.size < MAX_CONNECTIONS) return;
    for (const connection of this.#connections.values()) {
      if (connection.streams > 0) continue;
      connection.close(new TunnelError("PEER_LOST", "too many QUIC connections"));
      return;
    }
  }

  /** Takes no more; streams that still carry somebody keep their connection, and the port. */
  close(): void {
    this.#closed = true;
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
