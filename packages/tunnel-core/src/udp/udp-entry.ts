import type { RemoteInfo, Socket } from "node:dgram";
import type { Conduit, ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { formatRemote } from "../wire/endpoint.ts";
import { FrameScratch } from "./datagram-sender.ts";
import { UdpRelay } from "./udp-relay.ts";
import { answerUser } from "./udp-socket.ts";

/** Carries the users' datagrams into the tunnel: a session per user address. */
export class UdpEntry {
  readonly context: TunnelContext;
  readonly queue: ConduitSource;
  readonly scratch = new FrameScratch();
  readonly sessions = new Map<string, UdpUser>();
  readonly #socket: Socket;

  /** @param socket bound; this entry takes its messages */
  constructor(context: TunnelContext, queue: ConduitSource, socket: Socket) {
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
class UdpUser implements ConduitUser {
  readonly kind = "udp";
  readonly relay: UdpRelay;
  readonly #entry: UdpEntry;
  readonly remote: string;

  constructor(entry: UdpEntry, socket: Socket, name: string, address: string, port: number) {
    this.#entry = entry;
    this.remote = formatRemote(address, port);
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
          entry.context.log("debug", "udp session closed", { remote: this.remote });
        }
      },
    });
  }

  onConduit(conduit: Conduit): void {
    this.relay.attach(conduit.stream, conduit.framed, conduit.reader?.early);
    if (this.#entry.context.debugs) {
      this.#entry.context.log("debug", "udp session opened", { remote: this.remote });
    }
  }

  onNoConduit(): void {
    this.#entry.context.logLimited("warn", "udp session refused: no pool connection in time", {
      remote: this.remote,
    });
    this.relay.close();
  }
}
