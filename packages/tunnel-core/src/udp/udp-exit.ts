import type { Socket } from "node:dgram";
import type { Session } from "../session/session.ts";
import { resetStream } from "../streams/stream-reader.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { FrameScratch } from "./datagram-sender.ts";
import { UdpRelay } from "./udp-relay.ts";
import type { UdpTargets } from "./udp-target.ts";

/** Opens a UDP session with the target for each `udp` signal. */
export class UdpExit {
  readonly #context: TunnelContext;
  readonly #targets: UdpTargets;
  readonly #scratch = new FrameScratch();

  constructor(context: TunnelContext, targets: UdpTargets) {
    this.#context = context;
    this.#targets = targets;
  }

  open(session: Session, id: string, remote: string): void {
    const context = this.#context;
    if (!context.settings.udp || !context.slots.take()) {
      context.logLimited("warn", "udp session refused: udp is off or all slots are taken", {
        remote,
        slot: context.settings.slot,
      });
      session.pool.claim({
        id,
        onConnection: (connection) => {
          if (connection !== undefined) resetStream(connection.stream);
        },
      });
      return;
    }
    context.counters.udps++;
    let target: Socket | undefined;
    const abort = new AbortController();
    const relay = new UdpRelay({
      context,
      scratch: this.#scratch,
      deliver: (datagram) => target?.send(datagram),
      onClosed: () => {
        abort.abort();
        target?.close();
        target = undefined;
        context.counters.udps--;
        context.slots.release();
        if (context.debugs) context.log("debug", "udp session closed", { remote });
      },
    });
    if (context.debugs) context.log("debug", "udp session opened", { remote });
    this.#targets
      .open(AbortSignal.any([abort.signal, AbortSignal.timeout(context.limits.udpDialTimeoutMs)]))
      .then(
        (socket) => {
          if (relay.closed) {
            socket.close();
            return;
          }
          target = socket;
          socket.on("message", (datagram) => relay.incoming(datagram));
          // An ICMP error: the target may come up later, the session ends by its idle time.
          socket.on("error", (error) => {
            context.logLimited("warn", "udp target error", { error: error.message });
          });
          session.pool.claim({
            id,
            onConnection: (connection) => {
              if (connection === undefined) relay.close();
              else relay.attach(connection.stream, session.terms.framed, connection.early);
            },
          });
        },
        (error: unknown) => {
          context.logLimited("error", error instanceof Error ? error.message : String(error), {
            remote,
          });
          relay.close();
          session.pool.claim({
            id,
            onConnection: (connection) => {
              if (connection !== undefined) resetStream(connection.stream);
            },
          });
        },
      );
  }
}
