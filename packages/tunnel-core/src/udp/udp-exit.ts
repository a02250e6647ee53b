import type { Socket } from "node:dgram";
import type { Session } from "../session/session.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import { resetStream, type Stream, setReader } from "../stream/stream-reader.ts";
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

  /** A session that the peer begins by a `udp` signal. */
  open(session: Session, id: string, remote: string): void {
    this.#open(remote, (take) => {
      session.pool.claim({
        id,
        onConnection: (connection) => {
          if (connection === undefined) take(undefined);
          else
            take({ stream: connection.stream, framed: session.terms.framed, reader: connection });
        },
      });
    });
  }

  /** A session that the peer begins on a framed pool connection. */
  openFramed(stream: Stream, remote: string, early: Buffer | undefined): void {
    const reader = new EarlyReader();
    setReader(stream, reader);
    if (early !== undefined) reader.onBytes(early, early.length, true);
    this.#open(remote, (take) => take({ stream, framed: true, reader }));
  }

  /** @param claim gives the session's pool connection, now or later, once it is asked for */
  #open(remote: string, claim: (take: (given: GivenConnection | undefined) => void) => void): void {
    const context = this.#context;
    const refuse = (): void => claim((given) => given && resetStream(given.stream));
    if (!context.settings.udp || !context.slots.take()) {
      context.logLimited("warn", "udp session refused: udp is off or all slots are taken", {
        remote,
        slot: context.settings.slot,
      });
      refuse();
      return;
    }
    context.counters.udps++;
    let target: Socket | undefined;
    const abort = new AbortController();
    const relay = new UdpRelay({
      context,
      scratch: this.#scratch,
      deliver: (datagram) => {
        target?.send(datagram);
        return target !== undefined;
      },
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
    const timeout = AbortSignal.timeout(context.limits.udpDialTimeoutMs);
    this.#targets.open(AbortSignal.any([abort.signal, timeout])).then(
      (socket) => {
        if (relay.closed) {
          socket.close();
          refuse();
          return;
        }
        target = socket;
        socket.on("message", (datagram) => relay.incoming(datagram));
        // An ICMP error: the target may come up later, the session ends by its idle time.
        socket.on("error", (error) => {
          context.logLimited("warn", "udp target error", { error: error.message });
          if (this.#targets.refused(socket)) relay.close();
        });
        claim((given) => {
          if (given === undefined) relay.close();
          else relay.attach(given.stream, given.framed, given.reader.early);
        });
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        if (!relay.closed) context.logLimited("error", message, { remote });
        relay.close();
        refuse();
      },
    );
  }
}

/** A UDP session's pool connection, and who has read it so far. */
interface GivenConnection {
  readonly stream: Stream;
  readonly framed: boolean;
  readonly reader: EarlyReader;
}
