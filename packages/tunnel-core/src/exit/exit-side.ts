import type { Exit, Opening } from "../conduit/conduit.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import { TargetDialer } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { UdpExit } from "../udp/udp-exit.ts";
import { UdpTargets } from "../udp/udp-target.ts";
import { TcpExit } from "./tcp-exit.ts";

/** The target's side of a dual-end tunnel. */
export class ExitSide implements Exit {
  readonly #tcp: TcpExit;
  readonly #udp: UdpExit;
  readonly #dialer: TargetDialer;

  constructor(context: TunnelContext) {
    this.#dialer = new TargetDialer(context);
    this.#tcp = new TcpExit(context, this.#dialer);
    this.#udp = new UdpExit(context, new UdpTargets(context));
  }

  open(opening: Opening, load?: PeerLoad): void {
    if (opening.kind === "tcp") this.#tcp.open(opening, load);
    else this.#udp.open(opening, load);
  }

  close(): void {
    this.#dialer.close();
    this.#udp.close();
  }
}
