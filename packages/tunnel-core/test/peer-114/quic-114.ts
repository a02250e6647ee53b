import type { Certificate } from "./certificate.ts";
import type { PeerSocket } from "./websocket-114.ts";

/**
 * QUIC as a peer needs it for `type` 1: the test of the package that has it hands it over. What a
 * 1.14 node does with its streams is the peer's.
 */
export interface QuicStack {
  /** Server: takes connections on a UDP port, and their streams. */
  listen(options: {
    readonly host: string;
    readonly port: number;
    readonly certificate: Certificate;
    onStream(socket: PeerSocket, address: string): void;
  }): Promise<{ close(): void }>;
  /** Client: one connection, dialled with its first stream. */
  dial(options: { readonly host: string; readonly port: number }): {
    /** Opens a stream; `undefined` if that can't be done. */
    open(): Promise<PeerSocket | undefined>;
    close(): void;
  };
}
