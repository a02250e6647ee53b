import type { Opening } from "../conduit/conduit.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { addressOf, parseRemote } from "../wire/endpoint.ts";
import { FrameScratch } from "./datagram-sender.ts";
import { UdpRelay } from "./udp-relay.ts";
import type { UdpTargets } from "./udp-target.ts";
import type { TargetReceiver } from "./udp-target-link.ts";

/** Opens a UDP session with the target for each one that the peer's entry begins. */
export class UdpExit {
  readonly #context: TunnelContext;
  readonly #targets: UdpTargets;
  readonly #scratch = new FrameScratch();

  constructor(context: TunnelContext, targets: UdpTargets) {
    this.#context = context;
    this.#targets = targets;
  }

  /** A session that the peer's entry begins. */
  open(opening: Opening, place: number, load: PeerLoad | undefined): void {
    const context = this.#context;
    const { remote } = opening;
    const slot = context.settings.udp ? context.slots.take(addressOf(remote)) : undefined;
    if (slot === undefined) {
      context.logLimited("warn", "udp session refused: udp is off or all slots are taken", {
        remote,
        slot: context.settings.slot,
      });
      opening.refuse();
      return;
    }
    context.counters.udps++;
    let claimed = false;
    const relay = new UdpRelay({
      context,
      scratch: this.#scratch,
      deliver: (datagram) => target.send(datagram),
      onClosed: () => {
        target.close();
        if (!claimed) opening.refuse();
        load?.ended("udp", relay);
        context.counters.udps--;
        context.slots.release(slot);
        if (context.debugs) context.log("debug", "udp session closed", { remote });
      },
    });
    load?.began("udp", relay);
    if (context.debugs) context.log("debug", "udp session opened", { remote });
    const receiver: TargetReceiver = {
      onDatagram: (datagram) => relay.incoming(datagram),
      onOpen: () => {
        claimed = true;
        opening.claim({
          onConduit: (conduit) => {
            if (conduit === undefined) relay.close();
            else relay.attach(conduit.stream, conduit.framed, conduit.reader?.takeEarly());
          },
        });
      },
      onFailed: (error) => {
        context.logRarely("error", "udp target unreachable", { remote, reason: error.message });
        relay.close();
      },
    };
    const target = this.#targets.open(receiver, parseRemote(remote), place);
  }

  close(): void {
    this.#targets.close();
  }
}
