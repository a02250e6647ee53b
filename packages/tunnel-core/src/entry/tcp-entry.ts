import type { Socket } from "node:net";
import { FramedConnection } from "../framed/framed-connection.ts";
import { FramedRelay } from "../framed/framed-relay.ts";
import type { PoolMember } from "../pool/connection-pool.ts";
import { TcpRelay } from "../relay/tcp-relay.ts";
import type { Session } from "../session/session.ts";
import { DETACHED_READER } from "../streams/detached-reader.ts";
import { EarlyReader } from "../streams/early-reader.ts";
import { adoptSocket, resetStream, type Stream, setReader } from "../streams/stream-reader.ts";
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
class EntryUser extends EarlyReader implements PoolTaker {
  readonly #entry: TcpEntry;
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
    const shared = {
      context,
      local,
      inspection: context.inspection,
      onBlocked: () => context.logLimited("warn", "blocked protocol refused", { remote }),
      onFinished: () => this.#finished(remote),
    };
    if (connection instanceof FramedConnection) {
      const relay = new FramedRelay({ ...shared, carrier: connection, early: this.early });
      connection.open(remote, relay);
      relay.begin();
    } else {
      session.send({ action: "tcp", remote, id: connection.id });
      new TcpRelay({
        ...shared,
        remote: connection.stream,
        earlyLocal: this.early,
        earlyRemote: connection.early,
      });
    }
    if (context.debugs) context.log("debug", "tcp connection opened", { remote });
  }

  #finished(remote: string): void {
    const { context } = this.#entry;
    this.#entry.release();
    if (context.debugs) context.log("debug", "tcp connection closed", { remote });
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
