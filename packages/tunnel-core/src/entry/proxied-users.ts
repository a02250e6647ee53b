import type { ByteStream } from "../stream/byte-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { readProxyHeader } from "../wire/proxy-header-2.ts";
import { FirstData, type FirstDataTaker } from "./first-data.ts";
import type { UserOrigin } from "./user-origin.ts";

/**
 * Connections from addresses that are trusted to say whose they are (`trust`): each begins with a
 * PROXY protocol header of version 1 or 2, which is required there, as its document says (section 2).
 */
export class ProxiedUsers {
  readonly #context: TunnelContext;
  readonly #first: FirstData;

  constructor(context: TunnelContext) {
    this.#context = context;
    this.#first = new FirstData(context.limits.handshakeTimeoutMs);
  }

  /** @param onUser gets the stream, with whose it is and what came behind the header */
  read(stream: ByteStream, onUser: (stream: ByteStream, origin: UserOrigin) => void): void {
    const address = stream.remoteAddress ?? "";
    const refuse = (why: string): void => {
      this.#context.counters.refusedProxied++;
      this.#context.logLimited("warn", `connection of a proxy refused: ${why}`, { address });
      stream.reset();
    };
    const taker: FirstDataTaker = {
      onData: (_stream, bytes) => {
        const header = readProxyHeader(bytes);
        if (header === "more") return false;
        if (header === "none") {
          refuse("it begins with no PROXY protocol header");
          return true;
        }
        const { source, authority } = header;
        onUser(stream, { source, authority, early: bytes.subarray(header.bytes), ended: false });
        return true;
      },
      onNoMore: (_stream, _bytes, late) =>
        refuse(late ? "no PROXY protocol header in time" : "it ends before its header"),
      onGone: () => {},
    };
    this.#first.read(stream, taker);
  }

  close(): void {
    this.#first.close();
  }
}
