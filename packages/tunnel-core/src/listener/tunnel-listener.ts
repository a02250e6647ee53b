import type { Socket } from "node:net";
import type { Offences } from "../access/bans.ts";
import type { CarrierListener, NewSocket } from "../carrier/carrier.ts";
import { MAX_HEADER_BYTES } from "../handshake/handshake-server.ts";
import { secureServer } from "../stream/tls-stream.ts";
import type { CertificateState } from "../tls/certificate-source.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { HEAD_END } from "../wire/http-head.ts";
import { HELLO_MAGIC } from "../wire/pool-hello.ts";
import { type Newcomer, Newcomers } from "./newcomers.ts";
import type { PortCertificates } from "./port-certificates.ts";
import type { SessionDirectory } from "./session-directory.ts";

/** First byte of a TLS record that carries a handshake (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 0x16;
/** How a request line begins, or the beginning of one (RFC 9110, section 9.1). */
const METHOD = /^[A-Z]{1,16}(?: |$)/;
/** How a request for a WebSocket differs from a handshake. */
const UPGRADE = /\r\nupgrade:[ \t]*websocket[ \t]*\r\n/i;
/** What an HTTP/2 connection begins with, up to its first empty line (RFC 9113, section 3.4). */
const HTTP2 = "PRI * HTTP/2.0";
/** Bytes of a request line that tell whether it begins so. */
const METHOD_BYTES = 17;

export interface TunnelListenerOptions {
  readonly context: Pick<TunnelContext, "logLimited" | "limits"> & Offences;
  /** Certificates for TLS connections, which are refused without one. */
  readonly certificates: Pick<PortCertificates, "present" | "several" | "current" | "forName">;
  /** Pool connections must use TLS. */
  readonly poolTls: boolean;
  /** Takes what is no handshake. */
  readonly carrier: CarrierListener;
  /** A whole head of an HTTP request has come: the bytes are back in the socket. */
  onHandshake(socket: Socket): void;
  /** The sessions at this port: which addresses their clients have. */
  readonly sessions: Pick<SessionDirectory, "size" | "expectsMany" | "silenceMs">;
}

/**
 * Tells apart what arrives at the tunnel port by its first bytes (docs/protocol.md, "First bytes"):
 * an HTTP handshake, a pool hello, a TLS connection with either inside, or the silence of a
 * NodePass 1.14 pool connection.
 */
export class TunnelListener {
  readonly options: TunnelListenerOptions;
  readonly newcomers: Newcomers;

  constructor(options: TunnelListenerOptions) {
    this.options = options;
    const { context } = options;
    this.newcomers = new Newcomers({
      timeoutMs: context.limits.handshakeTimeoutMs,
      onDropped: (reason, { address }, late) => {
        context.logLimited("warn", reason);
        if (late) context.offended(address, "silence");
      },
      expectsMany: (address) => options.sessions.expectsMany(address),
      sessions: options.sessions,
    });
  }

  accept(raw: Socket): void {
    const arrived = new ArrivedSocket(this, raw);
    this.newcomers.add(arrived);
    raw.once("close", () => this.newcomers.delete(arrived));
    arrived.watch(raw);
  }

  close(): void {
    this.newcomers.close();
  }
}

/** A connection at the tunnel port until it is known what it is. */
class ArrivedSocket implements Newcomer {
  readonly address: string;
  readonly #listener: TunnelListener;
  readonly #raw: Socket;
  #socket: Socket;
  #bytes: Buffer | undefined;
  /** Of the certificate that this connection was given: a reload may have changed it since. */
  #fingerprint: string | undefined;
  #silence: NodeJS.Timeout | undefined;
  readonly #onReadable = (): void => this.#read();
  readonly #onEnd = (): void => this.#refused();
  readonly #onError = (): void => this.#refused();

  constructor(listener: TunnelListener, raw: Socket) {
    this.#listener = listener;
    this.#raw = raw;
    this.#socket = raw;
    this.address = raw.remoteAddress ?? "";
  }

  watch(socket: Socket): void {
    this.#socket = socket;
    socket.on("readable", this.#onReadable);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    const { carrier, poolTls, sessions } = this.#listener.options;
    if (carrier.onSocket === undefined || poolTls !== (socket !== this.#raw)) return;
    const silenceMs = sessions.silenceMs(this.address);
    if (silenceMs > 0) this.#silence = setTimeout(() => this.#silent(), silenceMs);
  }

  #unwatch(): void {
    clearTimeout(this.#silence);
    const socket = this.#socket;
    socket.off("readable", this.#onReadable);
    socket.off("end", this.#onEnd);
    socket.off("error", this.#onError);
  }

  /** As a newcomer whose time is over: whoever has it by now, or its listeners here, see it close. */
  drop(): void {
    this.#raw.destroy();
  }

  #refused(): void {
    this.#unwatch();
    // An error may follow the end.
    this.#socket.on("error", ignore);
    this.#raw.on("error", ignore);
    this.#socket.destroy();
    this.#raw.destroy();
  }

  #read(): void {
    for (;;) {
      // Until there is nothing: with a high-water mark of 0 only that asks for more.
      const chunk: Buffer | null = this.#socket.read();
      if (chunk === null) return;
      clearTimeout(this.#silence);
      const known = this.#bytes?.length ?? 0;
      this.#bytes = this.#bytes === undefined ? chunk : Buffer.concat([this.#bytes, chunk]);
      if (this.#decide(this.#bytes, known)) return;
    }
  }

  /**
   * @param known bytes that have been looked at before
   * @returns whether it is known now what this is; `false` waits for more
   */
  #decide(bytes: Buffer, known: number): boolean {
    const first = bytes[0] ?? 0;
    const { carrier, certificates } = this.#listener.options;
    if (first === HELLO_MAGIC && carrier.onSocket !== undefined) return this.#hello(bytes);
    if (first >= 0x41 && first <= 0x5a) return this.#request(bytes, known);
    if (first === TLS_HANDSHAKE && this.#socket === this.#raw && certificates.present) {
      this.#unwatch();
      this.#raw.unshift(bytes);
      this.#bytes = undefined;
      this.#secure();
      return true;
    }
    return this.#refuse("connection at the tunnel port speaks no protocol of ours");
  }

  /** The HTTP server, which costs more than all else here, sees nothing but whole heads. */
  #request(bytes: Buffer, known: number): boolean {
    if (known < METHOD_BYTES && !METHOD.test(bytes.toString("latin1", 0, METHOD_BYTES))) {
      return this.#refuse("bad handshake request", new Error("it begins with no method"));
    }
    const end = bytes.indexOf(HEAD_END, Math.max(0, known - HEAD_END.length + 1), "latin1");
    if (end === -1 && bytes.length <= MAX_HEADER_BYTES) return false;
    if (end === -1 || end > MAX_HEADER_BYTES) {
      return this.#refuse("bad handshake request", new Error("head longer than 8 KiB"));
    }
    const { carrier, onHandshake } = this.#listener.options;
    const head = bytes.toString("latin1", 0, end + 2);
    if (carrier.onUpgrade !== undefined && UPGRADE.test(head)) {
      carrier.onUpgrade(this.#newcomer(bytes));
      return true;
    }
    if (carrier.onHttp2 !== undefined && head.startsWith(HTTP2)) {
      const newcomer = this.#newcomer(undefined);
      this.#socket.unshift(bytes);
      carrier.onHttp2(newcomer);
      return true;
    }
    this.#unwatch();
    this.#socket.unshift(bytes);
    onHandshake(this.#socket);
    return true;
  }

  #hello(bytes: Buffer): true {
    if (this.#listener.options.poolTls && this.#socket === this.#raw) {
      return this.#refuse("pool hello without tls");
    }
    this.#give(bytes);
    return true;
  }

  #refuse(message: string, error?: unknown): true {
    this.#listener.options.context.logLimited("warn", message, {
      address: this.address,
      ...(error instanceof Error && { reason: error.message }),
    });
    this.#listener.options.context.offended(this.address, "noise");
    this.#refused();
    return true;
  }

  #silent(): void {
    if (this.#listener.options.sessions.silenceMs(this.address) > 0) this.#give(undefined);
  }

  /** It begins as a pool connection. */
  #give(early: Buffer | undefined): void {
    this.#listener.options.carrier.onSocket?.(this.#newcomer(early));
  }

  #newcomer(early: Buffer | undefined): NewSocket {
    this.#unwatch();
    return {
      socket: this.#socket,
      raw: this.#raw,
      address: this.address,
      fingerprint: this.#fingerprint,
      early,
      silent: early === undefined,
      known: () => this.#listener.newcomers.delete(this),
    };
  }

  #secure(): void {
    const { certificates, carrier } = this.#listener.options;
    const current = certificates.current();
    this.#fingerprint = current.fingerprint;
    const protocols = carrier.onHttp2 === undefined ? undefined : ["h2", "http/1.1"];
    const choose = (serverName: string): CertificateState => {
      const chosen = certificates.forName(serverName);
      this.#fingerprint = chosen.fingerprint;
      return chosen;
    };
    const secure = secureServer(
      this.#raw,
      current,
      protocols,
      certificates.several ? choose : undefined,
    );
    this.#raw.on("error", ignore);
    const failed = (error: Error): void => {
      this.#listener.options.context.logLimited("warn", "tls handshake failed", {
        address: this.address,
        error: error.message,
      });
      this.#raw.destroy();
    };
    secure.on("error", failed);
    secure.once("secure", () => {
      this.watch(secure);
      secure.off("error", failed);
    });
  }
}

function ignore(): void {
  // The socket is being closed.
}
