import type { ClientHttp2Session } from "node:http2";
import { isIPv6, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { TunnelError } from "../../errors.ts";
import { connectSocket } from "../../proxy/connect-socket.ts";
import type { ByteStream } from "../../stream/byte-stream.ts";
import { certificateFingerprint } from "../../wire/certificate-fingerprint.ts";
import type { CarrierDialTerms } from "../carrier.ts";
import { SharedDialer } from "../shared-dialer.ts";
import { keepAlive } from "./http2-pinger.ts";
import {
  CONNECTION_WINDOW,
  http2,
  SESSION_MEMORY_MB,
  SETTINGS,
  streamPath,
} from "./http2-settings.ts";
import { type Http2Ends, Http2Stream } from "./http2-stream.ts";

/** A client's side: one HTTP/2 connection for all streams of a session. */
export class Http2Dialer extends SharedDialer {
  readonly #terms: CarrierDialTerms;
  /** Of the connection in the making. */
  #aborted = new AbortController();
  #session: ClientHttp2Session | undefined;
  #ends: Http2Ends | undefined;
  #streams = 0;

  constructor(terms: CarrierDialTerms) {
    super();
    this.#terms = terms;
  }

  protected async connect(): Promise<void> {
    this.#aborted = new AbortController();
    const { signal } = this.#aborted;
    const socket = await this.#connectSocket(signal);
    const { serverName, address, proxy, reportIntervalMs } = this.#terms;
    const host = serverName ?? proxy?.to.host ?? address;
    const authority = `https://${isIPv6(host) ? `[${host}]` : host}`;
    const session = http2().connect(authority, {
      createConnection: () => socket,
      settings: SETTINGS,
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    let failure: Error | undefined;
    session.on("error", (error) => {
      failure = error;
    });
    session.once("close", () => {
      this.#session = undefined;
      this.refuse(failure ?? new TunnelError("PEER_LOST", "the HTTP/2 connection closed"));
    });
    // The peer's limit of streams is in its settings, which may never come.
    signal.addEventListener("abort", () => session.destroy(), { once: true });
    await new Promise<void>((resolve, reject) => {
      session.once("remoteSettings", () => resolve());
      session.once("close", () => {
        reject(failure ?? new TunnelError("PEER_LOST", "the server closed the HTTP/2 connection"));
      });
    });
    session.setLocalWindowSize(CONNECTION_WINDOW);
    keepAlive(session, reportIntervalMs);
    this.#session = session;
    if (this.closed && this.#streams === 0) session.destroy();
  }

  async #connectSocket(signal: AbortSignal): Promise<Socket> {
    const { address, port, proxy, serverName, tls } = this.#terms;
    if (tls === undefined) throw new TunnelError("PEER_LOST", "HTTP/2 is never without TLS");
    const socket = await connectSocket({
      route: { address, port, proxy },
      tls: {
        verified: tls.mode === 2,
        context: tls.context,
        serverName,
        address: proxy?.to.host ?? address,
        protocols: ["h2"],
      },
      signal,
    });
    const secure = socket as TLSSocket;
    const certificate = secure.getPeerX509Certificate();
    const seen = certificate === undefined ? undefined : certificateFingerprint(certificate.raw);
    if (tls.pin !== undefined && seen !== tls.pin) {
      socket.destroy();
      throw new TunnelError(
        "PEER_CERTIFICATE_MISMATCH",
        `the certificate ${seen ?? "(none)"} is not the server's proved one, ${tls.pin}`,
      );
    }
    if (secure.alpnProtocol !== "h2") {
      socket.destroy();
      throw new TunnelError("PEER_LOST", "the server speaks no HTTP/2 (ALPN)");
    }
    this.#ends = {
      remoteAddress: socket.remoteAddress,
      remotePort: socket.remotePort,
      localAddress: socket.localAddress,
      localPort: socket.localPort,
      peerFingerprint: seen,
      ownFingerprint: undefined,
    };
    return socket;
  }

  protected isOpen(): boolean {
    return this.#session !== undefined && !this.#session.closed && !this.#session.destroyed;
  }

  protected openStream(): ByteStream | undefined {
    const session = this.#session;
    const ends = this.#ends;
    if (session === undefined || ends === undefined) return undefined;
    if (this.#streams >= (session.remoteSettings.maxConcurrentStreams ?? Infinity))
      return undefined;
    const request = session.request(
      { ":method": "POST", ":path": streamPath(this.#terms.path) },
      { endStream: false },
    );
    this.#streams++;
    request.once("close", () => {
      this.#streams--;
      this.serve();
    });
    request.once("response", ({ ":status": status }) => {
      if (status === 200) return;
      request.destroy(new TunnelError("PEER_LOST", `the server answered ${status} over HTTP/2`));
    });
    return new Http2Stream(request, ends);
  }

  protected streamCount(): number {
    return this.#streams;
  }

  protected disconnect(): void {
    this.#aborted.abort();
    this.#session?.destroy();
  }
}
