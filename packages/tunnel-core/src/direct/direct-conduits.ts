import type { ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import type { TargetDial, TargetDialer } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { parseRemote, proxyHeader } from "../wire/proxy-header.ts";

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
    const dial = this.#dialer.dial({
      onTarget: (stream, address, port) => {
        over = true;
        this.#dials.delete(user);
        if (this.#context.settings.proxy) {
          const source = parseRemote(user.remote) ?? { address: "", port: 0 };
          stream.write(Buffer.from(proxyHeader(source, { address, port }), "latin1"));
        }
        user.onConduit({ stream, framed: false, reader: undefined });
      },
      onNoTarget: (error) => {
        over = true;
        this.#dials.delete(user);
        user.onNoConduit(error);
      },
    });
    if (!over) this.#dials.set(user, dial);
  }

  cancel(user: ConduitUser): void {
    this.#dials.get(user)?.cancel();
    this.#dials.delete(user);
  }
}
