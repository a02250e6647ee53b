import type { RemoteInfo, Socket } from "node:dgram";
import type { IdleCheckable } from "../relay/relay-registry.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { DatagramThrottle } from "../udp/datagram-throttle.ts";
import { answerUser } from "../udp/udp-socket.ts";
import type { UdpTargets } from "../udp/udp-target.ts";

/** Most bytes that wait for a session's target socket. */
const MAX_EARLY_BYTES = 1024 * 1024;

/** Forwards datagrams to the target without a tunnel between: a target socket per user address. */
export class DirectUdp {
  readonly context: TunnelContext;
  readonly targets: UdpTargets;
  readonly socket: Socket;
  readonly sessions = new Map<string, DirectUdpSession>();

  constructor(context: TunnelContext, targets: UdpTargets, socket: Socket) {
    this.context = context;
    this.targets = targets;
    this.socket = socket;
    socket.on("message", (datagram, from) => this.#received(datagram, from));
  }

  #received(datagram: Buffer, from: RemoteInfo): void {
    const { context } = this;
    const name = `${from.address}:${from.port}`;
    let session = this.sessions.get(name);
    if (session === undefined) {
      if (!context.slots.take()) {
        context.counters.udpDropped++;
        context.logLimited("warn", "datagram dropped: all slots are taken", {
          slot: context.settings.slot,
        });
        return;
      }
      context.counters.udps++;
      session = new DirectUdpSession(this, name, from.address, from.port);
      this.sessions.set(name, session);
    }
    session.received(datagram);
  }

  close(): void {
    for (const session of [...this.sessions.values()]) session.close();
  }
}

class DirectUdpSession implements IdleCheckable {
  active = true;
  idleSweeps = 0;
  readonly #direct: DirectUdp;
  readonly #name: string;
  readonly #address: string;
  readonly #port: number;
  readonly #abort = new AbortController();
  readonly #inbound: DatagramThrottle | undefined;
  readonly #outbound: DatagramThrottle | undefined;
  #target: Socket | undefined;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #closed = false;

  constructor(direct: DirectUdp, name: string, address: string, port: number) {
    this.#direct = direct;
    this.#name = name;
    this.#address = address;
    this.#port = port;
    const { context } = direct;
    const onDropped = (datagrams: number): void => {
      context.counters.udpDropped += datagrams;
    };
    if (context.inbound !== undefined) {
      this.#inbound = new DatagramThrottle(context.inbound, (d) => this.#send(d), onDropped);
    }
    if (context.outbound !== undefined) {
      this.#outbound = new DatagramThrottle(context.outbound, (d) => this.#answer(d), onDropped);
    }
    context.udpSessions.add(this);
    const timeout = AbortSignal.timeout(context.limits.udpDialTimeoutMs);
    direct.targets.open(AbortSignal.any([this.#abort.signal, timeout])).then(
      (target) => this.#opened(target),
      (error: unknown) => {
        if (!this.#closed) {
          context.logLimited("error", error instanceof Error ? error.message : String(error));
        }
        this.close();
      },
    );
  }

  #opened(target: Socket): void {
    if (this.#closed) {
      target.close();
      return;
    }
    this.#target = target;
    const { context } = this.#direct;
    target.on("message", (datagram) => {
      this.active = true;
      if (this.#outbound === undefined) this.#answer(datagram);
      else this.#outbound.push(datagram);
    });
    target.on("error", (error) => {
      context.logLimited("warn", "udp target error", { error: error.message });
      if (this.#direct.targets.refused(target)) this.close();
    });
    for (const datagram of this.#early) target.send(datagram);
    this.#early = [];
    this.#earlyBytes = 0;
  }

  received(datagram: Buffer): void {
    this.active = true;
    this.#direct.context.counters.udprx += datagram.length;
    if (this.#inbound === undefined) this.#send(datagram);
    else this.#inbound.push(datagram);
  }

  #send(datagram: Buffer): void {
    if (this.#target !== undefined) {
      this.#target.send(datagram);
    } else if (this.#closed || this.#earlyBytes + datagram.length > MAX_EARLY_BYTES) {
      this.#direct.context.counters.udpDropped++;
    } else {
      this.#early.push(datagram);
      this.#earlyBytes += datagram.length;
    }
  }

  #answer(datagram: Buffer): void {
    if (this.#closed) return;
    const { context, socket } = this.#direct;
    const sent = answerUser(socket, datagram, this.#port, this.#address);
    if (sent) context.counters.udptx += datagram.length;
    else context.counters.udpDropped++;
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
    this.#abort.abort();
    this.#inbound?.close();
    this.#outbound?.close();
    this.#target?.close();
    this.#target = undefined;
    const { context, sessions } = this.#direct;
    context.counters.udpDropped += this.#early.length;
    this.#early = [];
    sessions.delete(this.#name);
    context.udpSessions.delete(this);
    context.counters.udps--;
    context.slots.release();
  }
}
