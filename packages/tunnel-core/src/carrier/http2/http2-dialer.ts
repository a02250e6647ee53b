import type { ClientHttp2Session } from "node:http2";
import { isIPv6 } from "node:net";
import type { TLSSocket } from "node:tls";
import { TunnelError } from "../../errors.ts";
import { http2 } from "../../node-http2.ts";
import { connectSocket } from "../../proxy/connect-socket.ts";
import type { ByteStream } from "../../stream/byte-stream.ts";
import type { StreamEnds } from "../../stream/carried-stream.ts";
import { certificateMismatch } from "../../tls/certificate-pin.ts";
import { certificateFingerprint } from "../../wire/certificate-fingerprint.ts";
import type { CarrierDialTerms } from "../carrier.ts";
import {
  type SharedConnection,
  type SharedConnectionOwner,
  SharedDialer,
} from "../shared-dialer.ts";
import { CONNECTION_WINDOW_BYTES } from "../shared-limits.ts";
import { keepAlive } from "./http2-pinger.ts";
import { SESSION_MEMORY_MB, SETTINGS, streamPath } from "./http2-settings.ts";
import { Http2Stream } from "./http2-stream.ts";

/** A client's side: one HTTP/2 connection for all streams of a session. */
export class Http2Dialer extends SharedDialer {
  readonly #terms: CarrierDialTerms;

  constructor(terms: CarrierDialTerms) {
    super();
    this.#terms = terms;
  }

  protected async connect(signal: AbortSignal): Promise<SharedConnection> {
    const { serverName, address, proxy, reportIntervalMs } = this.#terms;
    const { socket, ends } = await this.#connectSocket(signal);
    const host = serverName ?? proxy?.to.host ?? address;
    const authority = `https://${isIPv6(host) ? `[${host}]` : host}`;
    const session = http2().connect(authority, {
      createConnection: () => socket,
      settings: SETTINGS,
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    const connection = new Http2Connection(session, ends, this.#terms, this);
    // The peer's limit of streams is in its settings, which may never come.
    await connection.settled(signal);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    keepAlive(session, reportIntervalMs);
    return connection;
  }

  async #connectSocket(signal: AbortSignal): Promise<{ socket: TLSSocket; ends: StreamEnds }> {
    const { address, port, proxy, serverName, tls } = this.#terms;
    if (tls === undefined) throw new TunnelError("PEER_LOST", "HTTP/2 is never without TLS");
    const socket = (await connectSocket({
      route: { address, port, proxy },
      tls: {
        verified: tls.mode === 2,
        context: tls.context,
        serverName,
        address: proxy?.to.host ?? address,
        protocols: ["h2"],
      },
      signal,
    })) as TLSSocket;
    const certificate = socket.getPeerX509Certificate();
    const seen = certificate === undefined ? undefined : certificateFingerprint(certificate.raw);
    const failure = certificateMismatch(seen, tls.pin) ?? unusable(socket);
    if (failure !== undefined || signal.aborted) {
      socket.destroy();
      throw failure ?? signal.reason;
    }
    return {
      socket,
      ends: {
        remoteAddress: socket.remoteAddress,
        remotePort: socket.remotePort,
        localAddress: socket.localAddress,
        localPort: socket.localPort,
        peerFingerprint: seen,
        ownFingerprint: undefined,
      },
    };
  }
}

function unusable(socket: TLSSocket): TunnelError | undefined {
  // Of a socket that has closed an HTTP/2 session never says anything.
  if (socket.destroyed) return new TunnelError("PEER_LOST", "the server closed the connection");
  if (socket.alpnProtocol === "h2") return undefined;
  return new TunnelError("PEER_LOST", "the server speaks no HTTP/2 (ALPN)");
}

/** One HTTP/2 connection; its streams are requests. */
class Http2Connection implements SharedConnection {
  readonly #session: ClientHttp2Session;
  readonly #ends: StreamEnds;
  readonly #terms: CarrierDialTerms;
  readonly #owner: SharedConnectionOwner;
  #streams = 0;
  /** Streams that were ever opened. */
  #opened = 0;
  #failure: Error | undefined;

  constructor(
    session: ClientHttp2Session,
    ends: StreamEnds,
    terms: CarrierDialTerms,
    owner: SharedConnectionOwner,
  ) {
    this.#session = session;
    this.#ends = ends;
    this.#terms = terms;
    this.#owner = owner;
    session.on("error", (error) => {
      this.#failure = error;
    });
    session.once("close", () => owner.onLost(this, this.#error()));
    // It takes no more streams: those who wait go elsewhere.
    session.once("goaway", () => owner.onRoom(this));
  }

  /** Until the peer's settings have come. */
  settled(signal: AbortSignal): Promise<void> {
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const aborted = (): void => session.destroy();
      signal.addEventListener("abort", aborted, { once: true });
      session.once("remoteSettings", () => {
        signal.removeEventListener("abort", aborted);
        resolve();
      });
      session.once("close", () => reject(this.#error()));
    });
  }

  #error(): Error {
    return this.#failure ?? new TunnelError("PEER_LOST", "the HTTP/2 connection has closed");
  }

  /**
   * Towards a 1.14 server a connection is good for as many streams as may be open at once, all in
   * all: what serves one of them there lasts as long as the session.
   */
  get isOpen(): boolean {
    if (this.#session.closed || this.#session.destroyed) return false;
    return this.#terms.of114 !== true || this.#opened < this.#most;
  }

  get #most(): number {
    return this.#session.remoteSettings.maxConcurrentStreams ?? Infinity;
  }

  get streams(): number {
    return this.#streams;
  }

  openStream(): ByteStream | undefined {
    const session = this.#session;
    if (this.#streams >= this.#most) return undefined;
    const headers = { ":method": "POST", ":path": streamPath(this.#terms.path) };
    const request = session.request(headers, { endStream: false });
    this.#streams++;
    this.#opened++;
    request.once("close", () => {
      this.#streams--;
      this.#owner.onRoom(this);
    });
    request.once("response", ({ ":status": status }) => {
      if (status === 200) return;
      request.destroy(new TunnelError("PEER_LOST", `the server answered ${status} over HTTP/2`));
    });
    return new Http2Stream(request, this.#ends, this.#terms.of114);
  }

  close(): void {
    this.#session.destroy();
  }
}
