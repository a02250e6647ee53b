import type { Conduit, ConduitClaim, Exit, Opening } from "../conduit/conduit.ts";
import type { TunnelError } from "../errors.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import {
  type CarriedBytes,
  closed,
  opened,
  refusalOf,
  refused,
} from "../relay/connection-events.ts";
import { Relay } from "../relay/relay.ts";
import type { RelayOwner } from "../relay/relay-context.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import { ProcessStream } from "../stream/process-stream.ts";
import type { TargetDial, TargetDialer, TargetWanted } from "../target/target-dialer.ts";
import type { ConnectionRefusal } from "../tunnel.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { proxyHeaderOf } from "../wire/proxy-header.ts";

/** Dials the target for each TCP connection that the peer's entry begins, and relays. */
export class TcpExit implements Exit {
  readonly context: TunnelContext;
  readonly dialer: TargetDialer;

  constructor(context: TunnelContext, dialer: TargetDialer) {
    this.context = context;
    this.dialer = dialer;
  }

  open(opening: Opening, load?: PeerLoad): void {
    const { context } = this;
    if (!context.settings.tcp || !context.slots.take()) {
      if (context.settings.tcp) context.counters.refusedSlot++;
      if (context.onConnection !== undefined) {
        refused(context, opening.remote, context.settings.tcp ? "slots" : "tcp-off");
      }
      context.logLimited("warn", "connection refused: tcp is off or all slots are taken", {
        remote: opening.remote,
        slot: context.settings.slot,
      });
      opening.refuse();
      return;
    }
    context.counters.tcps++;
    new ExitUser(this, opening, load).start();
  }

  /** The PROXY protocol header of a connection, if one is to be sent. */
  header(remote: string, address: string, port: number): string | undefined {
    return this.context.settings.proxy ? proxyHeaderOf(remote, { address, port }) : undefined;
  }

  release(): void {
    this.context.counters.tcps--;
    this.context.slots.release();
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

  readonly #load: PeerLoad | undefined;

  constructor(exit: TcpExit, opening: Opening, load: PeerLoad | undefined) {
    this.#exit = exit;
    this.#opening = opening;
    this.#load = load;
  }

  start(): void {
    if (this.#exit.context.acceptor === undefined) {
      this.#dial = this.#exit.dialer.dial(this);
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
    const relay = new Relay({
      context,
      local: target,
      remote: conduit.stream,
      header:
        this.#own === undefined ? this.#exit.header(remote, this.#address, this.#port) : undefined,
      earlyLocal: this.#targetReader?.takeEarly(),
      earlyRemote: conduit.reader?.takeEarly(),
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
    this.#exit.release();
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
    this.#exit.release();
    const { context } = this.#exit;
    if (context.onConnection !== undefined) refused(context, this.#opening.remote, this.#refusal);
  }
}
