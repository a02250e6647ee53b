import type { ConduitClaim, Exit, Opening } from "../conduit/conduit.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import { TargetDialer } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { UdpExit } from "../udp/udp-exit.ts";
import { UdpTargets } from "../udp/udp-target.ts";
import { splitPlace } from "../wire/endpoint.ts";
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
    const { remote, place } = splitPlace(opening.remote);
    const own = place === 0 ? opening : new PlacedOpening(opening, remote);
    if (opening.kind === "tcp") this.#tcp.open(own, place, load);
    else this.#udp.open(own, place, load);
  }

  close(): void {
    this.#dialer.close();
    this.#udp.close();
  }
}

/** One of a user who came to a later port of a range: his address is what stands before the place. */
class PlacedOpening implements Opening {
  readonly kind: Opening["kind"];
  readonly remote: string;
  readonly #opening: Opening;

  constructor(opening: Opening, remote: string) {
    this.kind = opening.kind;
    this.remote = remote;
    this.#opening = opening;
  }

  claim(claim: ConduitClaim): void {
    this.#opening.claim(claim);
  }

  refuse(): void {
    this.#opening.refuse();
  }
}
