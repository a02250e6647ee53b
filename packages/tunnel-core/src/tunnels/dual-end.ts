import type { Socket } from "node:net";
import { PoolQueue } from "../entry/pool-queue.ts";
import { TcpEntry } from "../entry/tcp-entry.ts";
import { TcpExit } from "../exit/tcp-exit.ts";
import { type BoundAddress, bindAddress } from "../handshake/bind.ts";
import type { Session, SessionHooks } from "../session/session.ts";
import { TargetDialer } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { UdpEntry } from "../udp/udp-entry.ts";
import { UdpExit } from "../udp/udp-exit.ts";
import { UdpTargets } from "../udp/udp-target.ts";
import type { Signal } from "../wire/signal.ts";

/** The users' side of a dual-end tunnel; it outlives sessions, so users wait out a reconnect. */
export class EntrySide {
  readonly queue: PoolQueue;
  readonly #context: TunnelContext;
  readonly #tcp: TcpEntry;
  #udp: UdpEntry | undefined;
  #bound: BoundAddress | undefined;

  constructor(context: TunnelContext) {
    this.#context = context;
    const { poolGetTimeoutMs, semaphoreLimit } = context.limits;
    this.queue = new PoolQueue(poolGetTimeoutMs, semaphoreLimit);
    this.#tcp = new TcpEntry(context, this.queue);
  }

  /** Binds the first target address for the users. @throws {TunnelError} as `bindAddress` */
  async open(): Promise<BoundAddress> {
    const { settings } = this.#context;
    const at = settings.targets[0] ?? { host: "", port: 0 };
    const bound = await bindAddress(at, {
      tcp: settings.tcp,
      udp: settings.udp,
      onConnection: (socket: Socket) => this.#tcp.accept(socket),
      onError: (error) => {
        this.#context.logLimited("error", "listener failed", { error: error.message });
      },
    });
    this.#bound = bound;
    if (bound.udp !== undefined) this.#udp = new UdpEntry(this.#context, this.queue, bound.udp);
    return bound;
  }

  stopTaking(): void {
    this.#bound?.tcp?.close();
    this.queue.close();
  }

  close(): void {
    this.stopTaking();
    this.#udp?.close();
    this.#bound?.close();
  }
}

/** The target's side of a dual-end tunnel. */
export class ExitSide {
  readonly #tcp: TcpExit;
  readonly #udp: UdpExit;
  readonly #dialer: TargetDialer;

  constructor(context: TunnelContext) {
    this.#dialer = new TargetDialer(context);
    this.#tcp = new TcpExit(context, this.#dialer);
    this.#udp = new UdpExit(context, new UdpTargets(context));
  }

  readonly open: SessionHooks["onOpen"] = (
    session: Session,
    signal: Signal & { readonly action: "tcp" | "udp" },
  ) => {
    if (signal.action === "tcp") this.#tcp.open(session, signal.id, signal.remote);
    else this.#udp.open(session, signal.id, signal.remote);
  };

  readonly openTcp: SessionHooks["onOpenTcp"] = (connection, remote) => {
    this.#tcp.openFramed(connection, remote);
  };

  readonly openUdp: SessionHooks["onOpenUdp"] = (connection, remote, early) => {
    this.#udp.openFramed(connection.stream, remote, early);
  };

  close(): void {
    this.#dialer.close();
  }
}
