import type { ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import type { TunnelError } from "../errors.ts";
import { targetHeader } from "../exit/target-header.ts";
import { type ByteStream, OWNED } from "../stream/byte-stream.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import type { TargetDial, TargetDialer, TargetWanted } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { addressOf } from "../wire/endpoint.ts";

/** Without a tunnel between, a user's conduit is a connection to the target. */
export class DirectConduits implements ConduitSource {
  readonly context: TunnelContext;
  readonly #dialer: TargetDialer;
  readonly #dials = new Map<ConduitUser, TargetDial>();

  constructor(context: TunnelContext, dialer: TargetDialer) {
    this.context = context;
    this.#dialer = dialer;
  }

  request(user: ConduitUser): void {
    const opening = new DirectOpening(this, user);
    const dial = this.#dialer.dial(
      opening,
      user.place,
      this.context.settings.sticky ? addressOf(user.remote) : undefined,
    );
    if (!opening.over) this.#dials.set(user, dial);
  }

  /** It is known what became of the user's dial. */
  dialled(user: ConduitUser): void {
    this.#dials.delete(user);
  }

  cancel(user: ConduitUser): void {
    this.#dials.get(user)?.cancel();
    this.#dials.delete(user);
  }
}

/** A user's connection to the target in the making. */
class DirectOpening implements TargetWanted {
  over = false;
  readonly #conduits: DirectConduits;
  readonly #user: ConduitUser;

  constructor(conduits: DirectConduits, user: ConduitUser) {
    this.#conduits = conduits;
    this.#user = user;
  }

  onTarget(stream: ByteStream, address: string, port: number, early?: Buffer): void {
    const user = this.#end();
    const header = targetHeader(this.#conduits.context.settings, user, { address, port });
    if (header !== undefined) stream.write(Buffer.from(header, "latin1"));
    user.onConduit({ stream, framed: false, reader: readerOf(stream, early) });
  }

  onNoTarget(error: TunnelError): void {
    this.#end().onNoConduit(error);
  }

  #end(): ConduitUser {
    this.over = true;
    this.#conduits.dialled(this.#user);
    return this.#user;
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
