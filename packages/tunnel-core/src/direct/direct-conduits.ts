import type { ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import { targetHeader } from "../exit/target-header.ts";
import { type ByteStream, OWNED } from "../stream/byte-stream.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import type { TargetDial, TargetDialer, TargetWanted } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { addressOf } from "../wire/endpoint.ts";

/** Without a tunnel between, a user's conduit is a connection to the target. */
export class DirectConduits implements ConduitSource {
  readonly #context: TunnelContext;
  readonly #dialer: TargetDialer;
  readonly #dials = new Map<ConduitUser, TargetDial>();

  constructor(context: TunnelContext, dialer: TargetDialer) {
    this.#context = context;
    this.#dialer = dialer;
  }

  request(user: ConduitUser): void {
    let over = false;
    const wanted: TargetWanted = {
      onTarget: (stream, address, port, early) => {
        over = true;
        this.#dials.delete(user);
        const header = targetHeader(this.#context.settings, user, { address, port });
        if (header !== undefined) stream.write(Buffer.from(header, "latin1"));
        user.onConduit({ stream, framed: false, reader: readerOf(stream, early) });
      },
      onNoTarget: (error) => {
        over = true;
        this.#dials.delete(user);
        user.onNoConduit(error);
      },
    };
    const dial = this.#dialer.dial(
      wanted,
      user.place,
      this.#context.settings.sticky ? addressOf(user.remote) : undefined,
    );
    if (!over) this.#dials.set(user, dial);
  }

  cancel(user: ConduitUser): void {
    this.#dials.get(user)?.cancel();
    this.#dials.delete(user);
  }
}

/** Keeps what the target has said before its relay began. */
function readerOf(stream: ByteStream, early: Buffer | undefined): EarlyReader | undefined {
  if (early === undefined) return undefined;
  const reader = new EarlyReader();
  reader.onBytes(early, early.length, OWNED);
  stream.setReader(reader);
  return reader;
}
