import type { Socket } from "node:net";
import { FramedConnection } from "../framed/framed-connection.ts";
import { FramedRelay } from "../framed/framed-relay.ts";
import type { PoolMember } from "../pool/connection-pool.ts";
import type { RelayOwner } from "../relay/relay-context.ts";
import { TcpRelay } from "../relay/tcp-relay.ts";
import type { Session } from "../session/session.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import { adoptSocket, resetStream, type Stream, setReader } from "../stream/stream-reader.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { formatRemote } from "../wire/endpoint.ts";
import type { PoolQueue, PoolTaker } from "./pool-queue.ts";

/** Carries the users' TCP connections into the tunnel. */
export class TcpEntry {
  readonly context: TunnelContext;
  readonly queue: PoolQueue;

  constructor(context: TunnelContext, queue: PoolQueue) {
    this.context = context;
    this.queue = queue;
  }

  /** A user's connection, just accepted. */
  accept(socket: Socket): void {
    const { context } = this;
    const stream = adoptSocket(socket, socket, DETACHED_READER, context.buffers);
    if (!context.slots.take()) {
      context.logLimited("warn", "connection refused: all slots are taken", {
        slot: context.settings.slot,
      });
      resetStream(stream);
      return;
    }
    context.counters.tcps++;
    const user = new EntryUser(this, stream);
    setReader(stream, user);
    this.queue.request(user);
  }

  release(): void {
    this.context.counters.tcps--;
    this.context.slots.release();
  }
}

/** A user's connection until its relay begins; what it sends is kept meanwhile. */
class EntryUser extends EarlyReader implements PoolTaker, RelayOwner {
  readonly #entry: TcpEntry;
  #remote = "";
  readonly #stream: Stream;
  #done = false;

  constructor(entry: TcpEntry, stream: Stream) {
    super();
    this.#entry = entry;
    this.#stream = stream;
  }

  onConnection(session: Session, connection: PoolMember): void {
    this.#done = true;
    const { context } = this.#entry;
    const local = this.#stream;
    const remote = formatRemote(local.remoteAddress ?? "0.0.0.0", local.remotePort ?? 0);
    this.#remote = remote;
    const { inspection } = context;
    const { early } = this;
    if (connection instanceof FramedConnection) {
      const options = { context, local, inspection, early, owner: this, carrier: connection };
      const relay = new FramedRelay(options);
      connection.open(remote, relay);
      relay.begin();
    } else {
      session.send({ action: "tcp", remote, id: connection.id });
      new TcpRelay({
        context,
        local,
        inspection,
        owner: this,
        remote: connection.stream,
        earlyLocal: early,
        earlyRemote: connection.early,
      });
    }
    if (context.debugs) context.log("debug", "tcp connection opened", { remote });
  }

  onBlocked(): void {
    const { context } = this.#entry;
    context.logLimited("warn", "blocked protocol refused", { remote: this.#remote });
  }

  onFinished(): void {
    const { context } = this.#entry;
    this.#entry.release();
    if (context.debugs) context.log("debug", "tcp connection closed", { remote: this.#remote });
  }

  onNoConnection(): void {
    if (this.#done) return;
    this.#entry.context.logLimited("warn", "connection refused: no pool connection in time", {
      timeoutMs: this.#entry.context.limits.poolGetTimeoutMs,
    });
    resetStream(this.#stream);
  }

  override onClose(): void {
    if (this.#done) return;
    this.#done = true;
    this.#entry.queue.cancel(this);
    this.#entry.release();
  }
}
