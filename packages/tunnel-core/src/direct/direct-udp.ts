import type { RemoteInfo } from "node:dgram";
import type { PortCounts } from "../entry/port-counts.ts";
import type { TunnelError } from "../errors.ts";
import type { TokenBucket } from "../rate/token-bucket.ts";
import type { IdleCheckable } from "../relay/relay-registry.ts";
import type { Slot } from "../slots.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { DatagramThrottle } from "../udp/datagram-throttle.ts";
import { userDatagram } from "../udp/proxied-datagrams.ts";
import { SessionRates } from "../udp/session-rates.ts";
import type { DoorKeeper, UdpDoor, UdpListener } from "../udp/udp-listener.ts";
import { type UdpSession, UdpSessions, userAt } from "../udp/udp-sessions.ts";
import { answerUser } from "../udp/udp-socket.ts";
import type { UdpTargets } from "../udp/udp-target.ts";
import type { TargetReceiver, UdpTargetLink } from "../udp/udp-target-link.ts";
import type { Endpoint } from "../wire/endpoint.ts";

/** Most bytes that wait for a session's target socket. */
const MAX_EARLY_BYTES = 1024 * 1024;

/** Forwards datagrams without a tunnel: a link to the target per user address and address asked. */
export class DirectUdp implements DoorKeeper {
  readonly context: TunnelContext;
  readonly targets: UdpTargets;
  readonly sessions = new UdpSessions<DirectUdpSession>();
  readonly #listener: UdpListener;

  /** The port of a range that it serves. */
  readonly at: PortCounts | undefined;

  /** @param listener bound; its datagrams are taken here @param at the port of a range */
  constructor(context: TunnelContext, targets: UdpTargets, listener: UdpListener, at?: PortCounts) {
    this.at = at;
    this.context = context;
    this.targets = targets;
    this.#listener = listener;
    listener.start(this);
  }

  knows(from: RemoteInfo, door: UdpDoor): boolean {
    return this.sessions.find(from, door) !== undefined;
  }

  onDatagram(datagram: Buffer, from: RemoteInfo, door: UdpDoor): void {
    const { context } = this;
    const proxied = context.trust !== undefined;
    const users = proxied ? userDatagram(context, datagram, from) : undefined;
    if (proxied && users === undefined) return;
    let session = this.sessions.find(from, door, users?.visitor);
    if (session === undefined) {
      const source = users?.source ?? from;
      if (context.userGate?.admits(source.address) === false) {
        context.counters.udpDropped++;
        return;
      }
      const slot = context.slots.take(source.address);
      if (slot === undefined) {
        context.counters.udpDropped++;
        context.logLimited("warn", "datagram dropped: all slots are taken", {
          slot: context.settings.slot,
        });
        return;
      }
      context.counters.udps++;
      const at = this.#listener.doorFor(from, door);
      session = new DirectUdpSession(this, at, userAt(at, from), slot, source, users?.visitor);
      this.sessions.add(session);
    }
    session.received(users?.payload ?? datagram);
  }

  onGone(door: UdpDoor): void {
    for (const session of this.sessions.of(door)) session.close();
  }

  close(): void {
    for (const session of this.sessions.all()) session.close();
    this.targets.close();
    this.#listener.stop(this);
  }
}

class DirectUdpSession implements IdleCheckable, UdpSession, TargetReceiver {
  door: UdpDoor;
  from: RemoteInfo;
  active = true;
  idleSweeps = 0;
  receivedBytes = 0;
  sentBytes = 0;
  readonly #direct: DirectUdp;
  /** Its own limits, if there are such. */
  readonly #own: SessionRates | undefined;
  #inbound: DatagramThrottle | undefined;
  #outbound: DatagramThrottle | undefined;
  readonly #target: UdpTargetLink;
  /** The target can be sent to. */
  #open = false;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #closed = false;

  readonly #slot: Slot;

  readonly visitor: string | undefined;

  constructor(
    direct: DirectUdp,
    door: UdpDoor,
    from: RemoteInfo,
    slot: Slot,
    source: Endpoint,
    visitor: string | undefined,
  ) {
    this.visitor = visitor;
    this.#slot = slot;
    this.#direct = direct;
    this.door = door;
    this.from = from;
    const { context } = direct;
    const rates = context.connectionRates;
    this.#own =
      rates &&
      new SessionRates({
        rates,
        onInbound: (datagram) => this.#taken(datagram),
        onOutbound: (datagram) => this.#passBack(datagram),
        onDropped: (datagrams) => {
          context.counters.udpDropped += datagrams;
        },
      });
    this.limitsChanged();
    context.udpSessions.add(this);
    direct.at?.began("udp", this);
    this.#target = direct.targets.open(this, source, direct.at?.place);
  }

  limitsChanged(): void {
    const { inbound, outbound } = this.#direct.context;
    if (this.#inbound?.bucket !== inbound) {
      this.#inbound = inbound && this.#throttle(inbound, (datagram) => this.#send(datagram));
    }
    if (this.#outbound?.bucket !== outbound) {
      this.#outbound = outbound && this.#throttle(outbound, (datagram) => this.#answer(datagram));
    }
  }

  #throttle(bucket: TokenBucket, deliver: (datagram: Buffer) => void): DatagramThrottle {
    return new DatagramThrottle(bucket, deliver, (datagrams) => {
      this.#direct.context.counters.udpDropped += datagrams;
    });
  }

  onOpen(): void {
    this.#open = true;
    const early = this.#early;
    this.#leaveAll();
    for (const datagram of early) this.#send(datagram);
  }

  onFailed(error: TunnelError): void {
    this.#direct.context.logRarely("error", "udp target unreachable", { reason: error.message });
    this.close();
  }

  #leaveAll(): void {
    const { waitingDatagrams } = this.#direct.context;
    for (const { length } of this.#early) waitingDatagrams.leave(length);
    this.#early = [];
    this.#earlyBytes = 0;
  }

  onDatagram(datagram: Buffer): void {
    this.active = true;
    const own = this.#own?.outbound;
    if (own === undefined) this.#passBack(datagram);
    else own.push(datagram);
  }

  #passBack(datagram: Buffer): void {
    if (this.#outbound === undefined) this.#answer(datagram);
    else this.#outbound.push(datagram);
  }

  received(datagram: Buffer): void {
    this.active = true;
    this.#direct.context.counters.udprx += datagram.length;
    this.receivedBytes += datagram.length;
    const own = this.#own?.inbound;
    if (own === undefined) this.#taken(datagram);
    else own.push(datagram);
  }

  #taken(datagram: Buffer): void {
    if (this.#inbound === undefined) this.#send(datagram);
    else this.#inbound.push(datagram);
  }

  #send(datagram: Buffer): void {
    const { context } = this.#direct;
    const { length } = datagram;
    if (this.#open) {
      if (!this.#target.send(datagram)) context.counters.udpDropped++;
    } else if (
      this.#closed ||
      this.#earlyBytes + length > MAX_EARLY_BYTES ||
      !context.waitingDatagrams.enter(length)
    ) {
      context.counters.udpDropped++;
    } else {
      this.#early.push(datagram);
      this.#earlyBytes += length;
    }
  }

  #answer(datagram: Buffer): void {
    if (this.#closed) return;
    const { context } = this.#direct;
    const sent = answerUser(this.door.socket, datagram, this.from.port, this.from.address);
    if (!sent) {
      context.counters.udpDropped++;
      return;
    }
    context.counters.udptx += datagram.length;
    this.sentBytes += datagram.length;
  }

  expire(): void {
    this.close();
  }

  cut(): void {
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#own?.close();
    this.#inbound?.close();
    this.#outbound?.close();
    this.#open = false;
    this.#target.close();
    const { context, sessions } = this.#direct;
    context.counters.udpDropped += this.#early.length;
    this.#leaveAll();
    sessions.delete(this);
    this.#direct.at?.ended("udp", this);
    context.udpSessions.delete(this);
    context.counters.udps--;
    context.slots.release(this.#slot);
  }
}
