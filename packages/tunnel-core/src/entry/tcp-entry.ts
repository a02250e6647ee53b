import type { Socket } from "node:net";
import type { PoolConnection } from "../pool/pool-connection.ts";
import { TcpRelay } from "../relay/tcp-relay.ts";
import type { Session } from "../session/session.ts";
import { DETACHED_READER } from "../streams/detached-reader.ts";
import { EarlyReader } from "../streams/early-reader.ts";
import { adoptSocket, resetStream, type Stream, setReader } from "../streams/stream-reader.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { BlockDetector } from "../wire/block-detector.ts";
import { formatRemote } from "../wire/endpoint.ts";
import type { PoolQueue, PoolTaker } from "./pool-queue.ts";

/** Carries the users' TCP connections into the tunnel. */
export class TcpEntry {
  readonly context: TunnelContext;
  readonly queue: PoolQueue;
  readonly #blocks: boolean;

  constructor(context: TunnelContext, queue: PoolQueue) {
    this.context = context;
    this.queue = queue;
    const { socks, http, tls } = context.settings.block;
    this.#blocks = socks || http || tls;
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

  detector(): BlockDetector | undefined {
    return this.#blocks ? new BlockDetector(this.context.settings.block) : undefined;
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

  onConnection(session: Session, connection: PoolConnection): void {
    this.#done = true;
    const entry = this.#entry;
    const stream = this.#stream;
    const remote = formatRemote(stream.remoteAddress ?? "0.0.0.0", stream.remotePort ?? 0);
    session.send({ action: "tcp", remote, id: connection.id });
    new TcpRelay({
      context: entry.context,
      local: stream,
      remote: connection.stream,
      earlyLocal: this.early,
      earlyRemote: connection.early,
      detector: entry.detector(),
      onBlocked: () => entry.context.logLimited("warn", "blocked protocol refused", { remote }),
      onFinished: () => {
        entry.release();
        if (entry.context.debugs) entry.context.log("debug", "tcp connection closed", { remote });
      },
    });
    if (entry.context.debugs) entry.context.log("debug", "tcp connection opened", { remote });
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
