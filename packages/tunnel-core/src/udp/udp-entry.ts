import type { RemoteInfo, Socket } from "node:dgram";
import type { PoolQueue, PoolTaker } from "../entry/pool-queue.ts";
import { FramedConnection } from "../framed/framed-connection.ts";
import type { PoolMember } from "../pool/connection-pool.ts";
import type { Session } from "../session/session.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { formatRemote } from "../wire/endpoint.ts";
import { FrameScratch } from "./datagram-sender.ts";
import { UdpRelay } from "./udp-relay.ts";
import { answerUser } from "./udp-socket.ts";

/** Carries the users' datagrams into the tunnel: a session per user address. */
export class UdpEntry {
  readonly context: TunnelContext;
  readonly queue: PoolQueue;
  readonly scratch = new FrameScratch();
  readonly sessions = new Map<string, UdpUser>();
  readonly #socket: Socket;

  /** @param socket bound; this entry takes its messages */
  constructor(context: TunnelContext, queue: PoolQueue, socket: Socket) {
    this.context = context;
    this.queue = queue;
    this.#socket = socket;
    socket.on("message", (datagram, from) => this.#received(datagram, from));
  }

  #received(datagram: Buffer, from: RemoteInfo): void {
    const name = `${from.address}:${from.port}`;
    const user = this.sessions.get(name) ?? this.#open(name, from);
    if (user === undefined) this.context.counters.udpDropped++;
    else user.relay.incoming(datagram);
  }

  #open(name: string, from: RemoteInfo): UdpUser | undefined {
    const { context } = this;
    if (!context.slots.take()) {
      context.logLimited("warn", "datagram dropped: all slots are taken", {
        slot: context.settings.slot,
      });
      return undefined;
    }
    context.counters.udps++;
    const user = new UdpUser(this, this.#socket, name, from.address, from.port);
    this.sessions.set(name, user);
    this.queue.request(user);
    return user;
  }

  close(): void {
    for (const user of [...this.sessions.values()]) user.relay.close();
  }
}

/** One user address and its session. */
class UdpUser implements PoolTaker {
  readonly relay: UdpRelay;
  readonly #entry: UdpEntry;
  readonly #remote: string;

  constructor(entry: UdpEntry, socket: Socket, name: string, address: string, port: number) {
    this.#entry = entry;
    this.#remote = formatRemote(address, port);
    this.relay = new UdpRelay({
      context: entry.context,
      scratch: entry.scratch,
      deliver: (datagram) => answerUser(socket, datagram, port, address),
      onClosed: () => {
        entry.sessions.delete(name);
        entry.queue.cancel(this);
        entry.context.counters.udps--;
        entry.context.slots.release();
        if (entry.context.debugs) {
          entry.context.log("debug", "udp session closed", { remote: this.#remote });
        }
      },
    });
  }

  onConnection(session: Session, connection: PoolMember): void {
    if (connection instanceof FramedConnection) {
      connection.openUdp(this.#remote);
      this.relay.attach(connection.stream, true, undefined);
    } else {
      session.send({ action: "udp", remote: this.#remote, id: connection.id });
      this.relay.attach(connection.stream, session.terms.framed, connection.early);
    }
    if (this.#entry.context.debugs) {
      this.#entry.context.log("debug", "udp session opened", { remote: this.#remote });
    }
  }

  onNoConnection(): void {
    this.#entry.context.logLimited("warn", "udp session refused: no pool connection in time", {
      remote: this.#remote,
    });
    this.relay.close();
  }
}
