import type { Opening } from "../conduit/conduit.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { addressOf, parseRemote } from "../wire/endpoint.ts";
import { FrameScratch } from "./datagram-sender.ts";
import { UdpRelay } from "./udp-relay.ts";
import type { UdpTargets } from "./udp-target.ts";
import type { UdpTargetLink } from "./udp-target-link.ts";

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
  open(opening: Opening, place: number): void {
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
    let target: UdpTargetLink | undefined;
    const abort = new AbortController();
    const relay = new UdpRelay({
      context,
      scratch: this.#scratch,
      deliver: (datagram) => target?.send(datagram) === true,
      onClosed: () => {
        abort.abort();
        target?.close();
        target = undefined;
        context.counters.udps--;
        context.slots.release(slot);
        if (context.debugs) context.log("debug", "udp session closed", { remote });
      },
    });
    if (context.debugs) context.log("debug", "udp session opened", { remote });
    const timeout = AbortSignal.timeout(context.limits.udpDialTimeoutMs);
    const receiver = { onDatagram: (datagram: Buffer) => relay.incoming(datagram) };
    const source = parseRemote(remote) ?? { address: "", port: 0 };
    this.#targets.open(AbortSignal.any([abort.signal, timeout]), receiver, source, place).then(
      (link) => {
        if (relay.closed) {
          link.close();
          opening.refuse();
          return;
        }
        target = link;
        opening.claim({
          onConduit: (conduit) => {
            if (conduit === undefined) relay.close();
            else relay.attach(conduit.stream, conduit.framed, conduit.reader?.takeEarly());
          },
        });
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        if (!relay.closed) context.logRarely("error", "udp target unreachable", { remote, reason });
        relay.close();
        opening.refuse();
      },
    );
  }
}
