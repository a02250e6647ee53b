import type { RemoteInfo } from "node:dgram";
import type { Conduit, ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import type { PortCounts } from "../entry/port-counts.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import type { Slot } from "../slots.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { formatRemote } from "../wire/endpoint.ts";
import { FrameScratch } from "./datagram-sender.ts";
import { type UserDatagram, userDatagram } from "./proxied-datagrams.ts";
import type { DoorKeeper, UdpDoor, UdpListener } from "./udp-listener.ts";
import { UdpRelay } from "./udp-relay.ts";
import { type UdpSession, UdpSessions, userAt } from "./udp-sessions.ts";
import { answerUser } from "./udp-socket.ts";

/** Carries the users' datagrams into the tunnel: a session per user address and address asked. */
export class UdpEntry implements DoorKeeper {
  readonly context: TunnelContext;
  readonly queue: ConduitSource;
  readonly scratch = new FrameScratch();
  readonly sessions = new UdpSessions<UdpUser>();
  readonly #listener: UdpListener;
  /** The port of a range that it serves. */
  readonly at: PortCounts | undefined;

  /** @param listener bound; this entry takes its datagrams @param at the port of a range */
  constructor(
    context: TunnelContext,
    queue: ConduitSource,
    listener: UdpListener,
    at?: PortCounts,
  ) {
    this.at = at;
    this.context = context;
    this.queue = queue;
    this.#listener = listener;
    listener.start(this);
  }

  knows(from: RemoteInfo, door: UdpDoor): boolean {
    return this.sessions.find(from, door) !== undefined;
  }

  onDatagram(datagram: Buffer, from: RemoteInfo, door: UdpDoor): void {
    if (this.context.trust !== undefined) {
      this.#fromProxy(datagram, from, door);
      return;
    }
    const user = this.sessions.find(from, door) ?? this.#open(from, door);
    if (user === undefined) this.context.counters.udpDropped++;
    else user.relay.incoming(datagram);
  }

  #fromProxy(datagram: Buffer, from: RemoteInfo, door: UdpDoor): void {
    const users = userDatagram(this.context, datagram, from);
    if (users === undefined) return;
    const user = this.sessions.find(from, door, users.visitor) ?? this.#open(from, door, users);
    if (user === undefined) this.context.counters.udpDropped++;
    else user.relay.incoming(users.payload);
  }

  onGone(door: UdpDoor): void {
    for (const user of this.sessions.of(door)) user.relay.close();
  }

  #open(
    from: RemoteInfo,
    door: UdpDoor,
    { source, visitor }: Pick<UserDatagram, "source" | "visitor"> = {
      source: from,
      visitor: undefined,
    },
  ): UdpUser | undefined {
    const { context } = this;
    if (context.userGate?.admits(source.address) === false) return undefined;
    const slot = context.slots.take(source.address);
    if (slot === undefined) {
      context.logLimited("warn", "datagram dropped: all slots are taken", {
        slot: context.settings.slot,
        ...(!context.slots.isFull && { slotip: context.settings.slotPerAddress }),
      });
      return undefined;
    }
    context.counters.udps++;
    const at = this.#listener.doorFor(from, door);
    const user = new UdpUser(this, at, userAt(at, from), slot, visitor);
    this.sessions.add(user);
    this.at?.began("udp", user.relay);
    this.queue.request(user);
    return user;
  }

  close(): void {
    for (const user of this.sessions.all()) user.relay.close();
    this.#listener.stop(this);
  }
}

/** One user address and its session. */
class UdpUser implements ConduitUser, UdpSession {
  readonly kind = "udp";
  door: UdpDoor;
  from: RemoteInfo;
  readonly visitor: string | undefined;
  readonly relay: UdpRelay;
  #load: PeerLoad | undefined;
  readonly #entry: UdpEntry;
  readonly remote: string;

  constructor(
    entry: UdpEntry,
    door: UdpDoor,
    from: RemoteInfo,
    slot: Slot,
    visitor: string | undefined,
  ) {
    this.visitor = visitor;
    this.#entry = entry;
    this.door = door;
    this.from = from;
    const { address, port } = from;
    this.remote = visitor ?? formatRemote(address, port);
    this.relay = new UdpRelay({
      context: entry.context,
      scratch: entry.scratch,
      deliver: (datagram) =>
        answerUser(this.door.socket, datagram, this.from.port, this.from.address),
      onClosed: () => {
        entry.at?.ended("udp", this.relay);
        entry.sessions.delete(this);
        entry.queue.cancel(this);
        this.#load?.ended("udp", this.relay);
        entry.context.counters.udps--;
        entry.context.slots.release(slot);
        if (entry.context.debugs) {
          entry.context.log("debug", "udp session closed", { remote: this.remote });
        }
      },
    });
  }

  get place(): number {
    return this.#entry.at?.place ?? 0;
  }

  onConduit(conduit: Conduit): void {
    if (conduit.load !== undefined && !this.relay.closed) {
      this.#load = conduit.load;
      conduit.load.began("udp", this.relay);
    }
    this.relay.attach(conduit.stream, conduit.framed, conduit.reader?.takeEarly());
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
