import type { Conduit, ConduitClaim, Opening } from "../conduit/conduit.ts";
import type { TunnelError } from "../errors.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import { throttled } from "../rate/throttled-stream.ts";
import {
  type CarriedBytes,
  closed,
  opened,
  refusalOf,
  refused,
} from "../relay/connection-events.ts";
import { Relay } from "../relay/relay.ts";
import type { RelayOwner } from "../relay/relay-context.ts";
import { noSlot, type Slot } from "../slots.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import { ProcessStream } from "../stream/process-stream.ts";
import type { TargetDial, TargetDialer, TargetWanted } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { ConnectionRefusal } from "../tunnel-reports.ts";
import { addressOf } from "../wire/endpoint.ts";
import { targetHeader } from "./target-header.ts";

/** Dials the target for each TCP connection that the peer's entry begins, and relays. */
export class TcpExit {
  readonly context: TunnelContext;
  readonly dialer: TargetDialer;

  constructor(context: TunnelContext, dialer: TargetDialer) {
    this.context = context;
    this.dialer = dialer;
  }

  /**
   * @param place which port of a range the user came to
   * @param load of the peer that he came over, where there are several
   */
  open(opening: Opening, place: number, load: PeerLoad | undefined): void {
    const { context } = this;
    const address = addressOf(opening.remote);
    const slot = context.settings.tcp ? context.slots.take(address) : undefined;
    if (slot === undefined) {
      const reason = context.settings.tcp ? noSlot(context, address) : this.#tcpOff(opening);
      if (context.onConnection !== undefined) refused(context, opening.remote, reason);
      opening.refuse();
      return;
    }
    context.counters.tcps++;
    new ExitUser(this, opening, slot, place, load).start();
  }

  #tcpOff({ remote }: Opening): ConnectionRefusal {
    this.context.logLimited("warn", "connection refused: tcp is off", { remote });
    return "tcp-off";
  }

  release(slot: Slot): void {
    this.context.counters.tcps--;
    this.context.slots.release(slot);
  }
}

/**
 * A user of whom the target is being dialled and the conduit may still be on its way: both at once,
 * since neither needs the other.
 */
class ExitUser implements ConduitClaim, TargetWanted, RelayOwner {
  readonly #exit: TcpExit;
  readonly #opening: Opening;
  #conduit: Conduit | undefined;
  #target: ByteStream | undefined;
  /** Reads the target while the conduit is still on its way. */
  #targetReader: EarlyReader | undefined;
  #address = "";
  #port = 0;
  #dial: TargetDial | undefined;
  #connectedAt = 0;
  #done = false;
  /** Where the program itself is the target. */
  #own: ProcessStream | undefined;
  #refusal: ConnectionRefusal = "gone";

  readonly #slot: Slot;
  readonly #place: number;
  readonly #load: PeerLoad | undefined;

  constructor(
    exit: TcpExit,
    opening: Opening,
    slot: Slot,
    place: number,
    load: PeerLoad | undefined,
  ) {
    this.#place = place;
    this.#slot = slot;
    this.#exit = exit;
    this.#opening = opening;
    this.#load = load;
  }

  start(): void {
    if (this.#exit.context.acceptor === undefined) {
      this.#dial = this.#exit.dialer.dial(
        this,
        this.#place,
        this.#exit.context.settings.sticky ? addressOf(this.#opening.remote) : undefined,
      );
    } else {
      this.#own = new ProcessStream();
      this.onTarget(this.#own, "", 0);
    }
    if (!this.#done) this.#opening.claim(this);
  }

  onConduit(conduit: Conduit | undefined): void {
    if (conduit === undefined || conduit.stream.destroyed) {
      const { kind, remote } = this.#opening;
      this.#exit.context.logLimited("warn", `no pool connection for a ${kind} signal`, { remote });
      this.#giveUp();
      return;
    }
    this.#conduit = conduit;
    if (this.#target !== undefined) this.#relay(conduit, this.#target);
    else if (conduit.reader !== undefined) conduit.reader.onLost = () => this.#giveUp();
  }

  onTarget(stream: ByteStream, address: string, port: number): void {
    this.#target = stream;
    this.#connectedAt = this.#dial?.connectedAt ?? performance.now();
    this.#address = address;
    this.#port = port;
    if (this.#conduit !== undefined) {
      this.#relay(this.#conduit, stream);
      return;
    }
    this.#targetReader = new EarlyReader(() => this.#giveUp());
    stream.setReader(this.#targetReader);
  }

  onNoTarget(error: TunnelError): void {
    this.#refusal = refusalOf(error);
    const { remote } = this.#opening;
    const { context } = this.#exit;
    if (!this.#done) context.counters.failed++;
    context.logRarely("error", "target unreachable", { remote, reason: error.message });
    this.#giveUp();
  }

  #relay(conduit: Conduit, target: ByteStream): void {
    const { context } = this.#exit;
    const { remote } = this.#opening;
    this.#done = true;
    this.#dial = undefined;
    if (context.onConnection !== undefined) opened(context, remote);
    const rates = context.connectionRates;
    const earlyRemote = conduit.reader?.takeEarly();
    const relay = new Relay({
      context,
      local: rates === undefined ? target : throttled(target, rates.inbound),
      remote: rates === undefined ? conduit.stream : throttled(conduit.stream, rates.outbound),
      header:
        this.#own === undefined
          ? targetHeader(
              context.settings,
              { remote, earlyBytes: earlyRemote?.bytes },
              { address: this.#address, port: this.#port },
            )
          : undefined,
      earlyLocal: this.#targetReader?.takeEarly(),
      earlyRemote,
      answer: "local",
      askedAt: this.#connectedAt,
      owner: this,
    });
    if (!relay.finished) this.#load?.began("tcp", relay);
    if (context.debugs) context.log("debug", "tcp connection opened", { remote });
    if (this.#own !== undefined) this.#handOver(this.#own);
  }

  #handOver(own: ProcessStream): void {
    const { context } = this.#exit;
    try {
      context.acceptor?.(own.duplex, { remote: this.#opening.remote });
    } catch (error) {
      // The program's fault must not end the tunnel, nor leave the user waiting.
      context.logLimited("error", "onConnection failed", { error: String(error) });
      own.destroy();
    }
  }

  /** Only an entry looks at what its local side sends. */
  onBlocked(): void {}

  onFinished(carried: CarriedBytes): void {
    const { context } = this.#exit;
    this.#exit.release(this.#slot);
    this.#load?.ended("tcp", carried);
    if (context.onConnection !== undefined) {
      closed(context, this.#opening.remote, carried, undefined);
    }
    if (context.debugs) {
      context.log("debug", "tcp connection closed", { remote: this.#opening.remote });
    }
  }

  #giveUp(): void {
    if (this.#done) return;
    this.#done = true;
    this.#dial?.cancel();
    this.#opening.refuse();
    this.#target?.reset();
    this.#exit.release(this.#slot);
    const { context } = this.#exit;
    if (context.onConnection !== undefined) refused(context, this.#opening.remote, this.#refusal);
  }
}
