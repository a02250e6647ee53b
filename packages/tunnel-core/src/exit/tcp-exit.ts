import type { FramedConnection } from "../framed/framed-connection.ts";
import type { PoolClaim } from "../pool/connection-pool.ts";
import type { PoolConnection } from "../pool/pool-connection.ts";
import type { RelayOwner } from "../relay/relay-context.ts";
import { TcpRelay } from "../relay/tcp-relay.ts";
import type { Session } from "../session/session.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import { resetStream, type Stream, setReader } from "../stream/stream-reader.ts";
import type { TargetDial, TargetDialer, TargetWanted } from "../target/target-dialer.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { parseRemote, proxyHeader } from "../wire/proxy-header.ts";
import { FramedOpening } from "./framed-opening.ts";

/** Dials the target for each `tcp` signal and relays. */
export class TcpExit {
  readonly context: TunnelContext;
  readonly dialer: TargetDialer;

  constructor(context: TunnelContext, dialer: TargetDialer) {
    this.context = context;
    this.dialer = dialer;
  }

  open(session: Session, id: string, remote: string): void {
    const { context } = this;
    if (!context.settings.tcp || !context.slots.take()) {
      this.#refused(remote);
      session.pool.claim({ id, onConnection: (connection) => reset(connection?.stream) });
      return;
    }
    context.counters.tcps++;
    new ExitOpening(this, session, id, remote).start();
  }

  /** A connection that the peer begins on a framed pool connection. */
  openFramed(carrier: FramedConnection, remote: string): void {
    const { context } = this;
    if (!context.settings.tcp || !context.slots.take()) {
      this.#refused(remote);
      carrier.reset();
      return;
    }
    context.counters.tcps++;
    new FramedOpening(this, carrier, remote).start();
  }

  /** The PROXY protocol header of a connection, if one is to be sent. */
  header(remote: string, address: string, port: number): string | undefined {
    if (!this.context.settings.proxy) return undefined;
    const source = parseRemote(remote) ?? { address: "", port: 0 };
    return proxyHeader(source, { address, port });
  }

  #refused(remote: string): void {
    this.context.logLimited("warn", "connection refused: tcp is off or all slots are taken", {
      remote,
      slot: this.context.settings.slot,
    });
  }

  release(): void {
    this.context.counters.tcps--;
    this.context.slots.release();
  }
}

function reset(stream: Stream | undefined): void {
  if (stream !== undefined) resetStream(stream);
}

/**
 * A connection of which the target is being dialled and the pool connection may still be on its
 * way: both at once, since neither needs the other.
 */
class ExitOpening implements PoolClaim, TargetWanted, RelayOwner {
  readonly id: string;
  readonly #exit: TcpExit;
  readonly #session: Session;
  readonly #remote: string;
  #connection: PoolConnection | undefined;
  #target: Stream | undefined;
  readonly #targetReader = new EarlyReader(() => this.#giveUp());
  #address = "";
  #port = 0;
  #dial: TargetDial | undefined;
  #done = false;

  constructor(exit: TcpExit, session: Session, id: string, remote: string) {
    this.#exit = exit;
    this.#session = session;
    this.id = id;
    this.#remote = remote;
  }

  start(): void {
    this.#dial = this.#exit.dialer.dial(this);
    if (!this.#done) this.#session.pool.claim(this);
  }

  onConnection(connection: PoolConnection | undefined): void {
    if (connection === undefined || connection.stream.destroyed) {
      this.#exit.context.logLimited("warn", "no pool connection for a tcp signal", { id: this.id });
      this.#giveUp();
      return;
    }
    if (this.#done) {
      resetStream(connection.stream);
      return;
    }
    this.#connection = connection;
    if (this.#target !== undefined) this.#relay(connection, this.#target);
    else connection.onLost = () => this.#giveUp();
  }

  onTarget(stream: Stream, address: string, port: number): void {
    this.#target = stream;
    this.#address = address;
    this.#port = port;
    if (this.#connection !== undefined) this.#relay(this.#connection, stream);
    else setReader(stream, this.#targetReader);
  }

  onNoTarget(error: Error): void {
    this.#exit.context.logLimited("error", error.message, { remote: this.#remote });
    this.#giveUp();
  }

  #relay(connection: PoolConnection, target: Stream): void {
    const { context } = this.#exit;
    const remote = this.#remote;
    this.#done = true;
    const header = this.#exit.header(remote, this.#address, this.#port);
    new TcpRelay({
      context,
      local: target,
      remote: connection.stream,
      header,
      earlyLocal: this.#targetReader.early,
      earlyRemote: connection.early,
      owner: this,
    });
    if (context.debugs) context.log("debug", "tcp connection opened", { remote });
  }

  /** Only an entry looks at what its local side sends. */
  onBlocked(): void {}

  onFinished(): void {
    const { context } = this.#exit;
    this.#exit.release();
    if (context.debugs) context.log("debug", "tcp connection closed", { remote: this.#remote });
  }

  #giveUp(): void {
    if (this.#done) return;
    this.#done = true;
    this.#dial?.cancel();
    this.#session.pool.unclaim(this);
    reset(this.#connection?.stream);
    reset(this.#target);
    this.#exit.release();
    // The pool connection may still come: it is reset when it does.
    if (this.#connection === undefined) {
      this.#session.pool.claim({
        id: this.id,
        onConnection: (connection) => reset(connection?.stream),
      });
    }
  }
}
