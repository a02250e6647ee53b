import { createRequire } from "node:module";
import { TunnelError } from "@nodepass/tunnel-core";

/** The library whose native part is used; README.md says why this one. */
const LIBRARY = "@infisical/quic";

/** Bytes of our connection ids. */
export const CONNECTION_ID_BYTES = 20;

/** An IP address and a port; quiche wants it without a zone. */
export interface QuicAddress {
  readonly host: string;
  readonly port: number;
}

/** The same for quiche: Node tells of a link-local sender with his zone (`fe80::1%eth0`). */
export function withoutZone(address: QuicAddress): QuicAddress {
  const { host, port } = address;
  const { length } = zoneOf(host);
  return length === 0 ? address : { host: host.slice(0, -length), port };
}

/** The zone of a link-local address with its `%`; empty if it has none. */
export function zoneOf(host: string): string {
  const at = host.indexOf("%");
  return at < 0 ? "" : host.slice(at);
}

/** A connection of quiche: the part of its binding that is used here. Errors are their names. */
export interface QuicheConnection {
  recv(data: Uint8Array, info: { from: QuicAddress; to: QuicAddress }): number;
  send(data: Uint8Array): [number, { to: QuicAddress }] | null;
  streamRecv(id: number, data: Uint8Array): [number, boolean] | null;
  streamSend(id: number, data: Uint8Array, fin: boolean): number | null;
  streamShutdown(id: number, direction: number, code: number): unknown;
  peerStreamsLeftBidi(): number;
  readable(): Iterable<number>;
  timeout(): number | null;
  onTimeout(): void;
  close(app: boolean, code: number, reason: Uint8Array): unknown;
  peerCertChain(): Uint8Array[] | null;
  isEstablished(): boolean;
  isClosed(): boolean;
  isDraining(): boolean;
  isTimedOut(): boolean;
  peerError(): { isApp: boolean; errorCode: number; reason: Uint8Array } | null;
  localError(): { isApp: boolean; errorCode: number; reason: Uint8Array } | null;
  sendAckEliciting(): void;
}

/** Settings of connections. */
export interface QuicheConfig {
  setApplicationProtos(protocols: string[]): void;
  setMaxIdleTimeout(ms: number): void;
  setMaxRecvUdpPayloadSize(bytes: number): void;
  setMaxSendUdpPayloadSize(bytes: number): void;
  setInitialMaxData(bytes: number): void;
  setInitialMaxStreamDataBidiLocal(bytes: number): void;
  setInitialMaxStreamDataBidiRemote(bytes: number): void;
  setInitialMaxStreamsBidi(count: number): void;
  setMaxStreamWindow(bytes: number): void;
  setMaxConnectionWindow(bytes: number): void;
  setDisableActiveMigration(disabled: boolean): void;
  enablePacing(enabled: boolean): void;
}

export interface Quiche {
  readonly Connection: {
    connect(
      serverName: string | null,
      scid: Uint8Array,
      local: QuicAddress,
      remote: QuicAddress,
      config: QuicheConfig,
    ): QuicheConnection;
    accept(
      scid: Uint8Array,
      originalDcid: null,
      local: QuicAddress,
      remote: QuicAddress,
      config: QuicheConfig,
    ): QuicheConnection;
  };
  readonly Config: {
    withBoringSslCtx(
      verifyPeer: boolean,
      verifyAllowFail: boolean,
      ca: Uint8Array | null,
      keys: Uint8Array[] | null,
      certificates: Uint8Array[] | null,
    ): QuicheConfig;
  };
  readonly Header: {
    fromSlice(
      data: Uint8Array,
      dcidLength: number,
    ): { ty: number; version: number; dcid: Uint8Array; scid: Uint8Array };
  };
  readonly Type: { readonly Initial: number };
  readonly Shutdown: { readonly Read: number; readonly Write: number };
  readonly MAX_DATAGRAM_SIZE: number;
  versionIsSupported(version: number): boolean;
  negotiateVersion(scid: Uint8Array, dcid: Uint8Array, data: Uint8Array): number;
}

let loaded: Quiche | undefined;

/**
 * The native library. Only its binding is loaded, none of its JavaScript.
 *
 * @throws {TunnelError} `UNSUPPORTED_POOL_TYPE` where there is none for this platform
 */
export function loadQuiche(): Quiche {
  if (loaded !== undefined) return loaded;
  try {
    const module: unknown = createRequire(import.meta.url)(`${LIBRARY}/dist/native/quiche.js`);
    // The shape is the library's, whose version is pinned.
    loaded = (module as { readonly default: Quiche }).default;
    return loaded;
  } catch (error) {
    const message = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw new TunnelError(
      "UNSUPPORTED_POOL_TYPE",
      `type=1 (QUIC) does not run here: ${LIBRARY} has no binding for ${process.platform}-${process.arch} (${message})`,
      { cause: error },
    );
  }
}
