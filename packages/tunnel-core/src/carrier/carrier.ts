import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { NewcomersOptions } from "../listener/newcomers.ts";
import type { Route } from "../proxy/route.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { Lingerer } from "../stream/lingerer.ts";
import type { RelayBuffers } from "../stream/relay-buffers.ts";
import type { CertificateSource } from "../tls/certificate-source.ts";
import type { LogFields, LogRecord } from "../tunnel-reports.ts";

/** As in the handshake's `type`: TCP, QUIC, WebSocket, HTTP/2. */
export type CarrierType = 0 | 1 | 2 | 3;

/** How byte streams between the two ends of a tunnel come about; one for each `type`. */
export interface Carrier {
  readonly type: CarrierType;
  /** Client: gets ready for one session; nothing is dialled before `open`. */
  dial(terms: CarrierDialTerms): CarrierDialer;
  /** Server: gets ready to take what the listener on the tunnel port finds to be this carrier's. */
  listen(terms: CarrierListenTerms): Promise<CarrierListener>;
}

/** TLS of a client's streams. */
export interface CarrierTls {
  /** 1 accepts any certificate, or only `pin`; 2 verifies chain and name. */
  readonly mode: 1 | 2;
  /**
   * Made once a session, shared by all its handshakes: TLS 1.3, and 1.2 towards what stands in front
   * of a server (`front`).
   */
  readonly context: SecureContext;
  /** What `context` trusts, PEM, for a carrier with a TLS of its own; `undefined`: Node's. */
  readonly ca: readonly string[] | undefined;
  /** Fingerprint of the only certificate that will do, from the proved answer. */
  readonly pin: string | undefined;
}

/** Where and how a client's streams of one session are opened. */
export interface CarrierDialTerms {
  /** IP address that is dialled: the server's, or the proxy's. */
  readonly address: string;
  readonly port: number;
  /** A proxy stands there, and opens the connection to the server; TCP only. */
  readonly proxy: Route["proxy"];
  /** SNI, and `Host` where there is HTTP; `undefined`: the server is given by address. */
  readonly serverName: string | undefined;
  /** HTTP path, begins with `/`. */
  readonly path: string;
  /** `undefined`: none. */
  readonly tls: CarrierTls | undefined;
  /** The server is a NodePass 1.14 node. @default false */
  readonly of114?: boolean | undefined;
  /** Pings of a carrier that shares a connection, ms (`NP_REPORT_INTERVAL`). */
  readonly reportIntervalMs: number;
  readonly buffers: RelayBuffers;
  /** The tunnel's: what it has when the tunnel ends is closed with it. */
  readonly lingerer: Lingerer;
  readonly log: CarrierLog;
}

/** A client's side of a carrier for one session. */
export interface CarrierDialer {
  /** Opens a stream; what is sent and read first on it is the caller's matter (hello, id). */
  open(wanted: StreamWanted): StreamDial;
  /** Ends what is being opened (nobody is told) and what the carrier shares; streams go on. */
  close(): void;
}

/** Who wants a stream. Exactly one of the two is called, once, never inside `open`. */
export interface StreamWanted {
  /**
   * It stands, with TLS and the certificate that `tls` asks for. Set a reader at once, then
   * `resume()`.
   *
   * @param early what has been read already (behind a proxy's answer)
   */
  onStream(stream: ByteStream, early?: Buffer): void;
  /**
   * @param error `TunnelError` `PEER_CERTIFICATE_MISMATCH` if the certificate is not `pin`: the
   *   session can't go on; else the system's error, or `PEER_LOST`
   */
  onFailed(error: Error): void;
}

/** A stream that is being dialled. */
export interface StreamDial {
  /** Gives up: neither is called any more. */
  cancel(): void;
}

/** What a server's carriers are given. */
export interface CarrierListenTerms {
  /** The tunnel address as bound, for a carrier that binds something itself (UDP). */
  readonly host: string;
  readonly port: number;
  /** HTTP path, begins with `/`. */
  readonly path: string;
  /** `undefined` if the streams have no TLS. */
  readonly certificate: Pick<CertificateSource, "current"> | undefined;
  /** Pings of the carrier, ms (`NP_REPORT_INTERVAL`). */
  readonly reportIntervalMs: number;
  readonly buffers: RelayBuffers;
  /** The tunnel's: what it has when the tunnel ends is closed with it. */
  readonly lingerer: Lingerer;
  /** Bounds of who has not shown who it is, for a carrier that takes connections itself (UDP). */
  readonly newcomers: NewcomersOptions;
  readonly log: CarrierLog;
  /** A stream has come that has said nothing yet: who it is, is found out here. */
  onStream(arrival: Arrival): void;
}

/** A stream that a server's carrier took. */
export interface Arrival {
  /** It does not read yet. */
  readonly stream: ByteStream;
  /** IP address that it comes from. */
  readonly address: string;
  /** What came with its opening. */
  readonly early?: Buffer | undefined;
  /** It waits for an id, as NodePass 1.14 does: it was silent for long enough. */
  readonly wantsId?: boolean | undefined;
  /** On this carrier NodePass 1.14 asks for the id, by a byte 00. */
  readonly asksId?: boolean | undefined;
  /**
   * Called when it has shown that it is the client's: it is no newcomer any more.
   *
   * @param of114 it is a NodePass 1.14 client's
   */
  known?(of114?: boolean): void;
}

/**
 * A server's side of a carrier. The listener on the tunnel port tells by the first bytes what a
 * connection is, and gives it to the carrier that has the method for it; without one it is refused.
 */
export interface CarrierListener {
  /** A plain or TLS socket that begins as a pool connection: hello, or the silence of 1.14. */
  onSocket?(newcomer: NewSocket): void;
  /** A request for a WebSocket: its whole head is at the front of `early`; the carrier answers. */
  onUpgrade?(newcomer: NewSocket): void;
  /** The preface of HTTP/2 has come: it is back in the socket. */
  onHttp2?(newcomer: NewSocket): void;
  /** Takes no more; what it gave away goes on. */
  close(): void;
}

/** A connection at the tunnel port, of which it is known what it is, not who. */
export interface NewSocket {
  /** Plain, or TLS. Not flowing. */
  readonly socket: Socket;
  /** The TCP socket under it; itself when plain. */
  readonly raw: Socket;
  readonly address: string;
  /** Fingerprint of the certificate it was shown; `undefined`: no TLS. */
  readonly fingerprint: string | undefined;
  /** What has been read from it already. */
  readonly early: Buffer | undefined;
  /** It has said nothing for so long that it may be a 1.14 client's, which waits for its id. */
  readonly silent: boolean;
  /** It has become streams: the limit of newcomers counts it no more. */
  known(): void;
}

/** Takes a log line of a carrier: fixed lower-case text, the values as fields. */
export type CarrierLog = (level: LogRecord["level"], message: string, fields?: LogFields) => void;
