import type { Socket } from "node:net";
import type { Conduit, ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import { TunnelError } from "../errors.ts";
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
import { adoptTcp } from "../stream/tcp-stream.ts";
import type { ConnectionRefusal } from "../tunnel.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { formatRemote } from "../wire/endpoint.ts";

/** A program that is a user itself: one of the two is called, unless it destroys its stream. */
export interface Dialling {
  onOpen(): void;
  onFailed(error: TunnelError): void;
}

/** Takes the users' TCP connections, each into a conduit of its own. */
export class TcpEntry {
  readonly context: TunnelContext;
  readonly source: ConduitSource;

  constructor(context: TunnelContext, source: ConduitSource) {
    this.context = context;
    this.source = source;
  }

  /** A user's connection, just accepted. */
  accept(socket: Socket): void {
    this.take(adoptTcp(socket, this.context.buffers));
  }

  /** Any stream as a user's. @param dialling the program, where it is the user itself */
  take(stream: ByteStream, dialling?: Dialling): void {
    const { context } = this;
    const { counters } = context;
    counters.accepted++;
    if (!context.slots.take()) {
      counters.refusedSlot++;
      context.logLimited("warn", "connection refused: all slots are taken", {
        slot: context.settings.slot,
      });
      if (context.onConnection !== undefined) refused(context, remoteOf(stream), "slots");
      if (dialling === undefined) stream.reset();
      else dialling.onFailed(new TunnelError("SLOTS_TAKEN", "all slots are taken"));
      return;
    }
    counters.tcps++;
    const user = new EntryUser(this, stream, dialling);
    stream.setReader(user);
    this.source.request(user);
  }

  /** Those who still wait for a conduit wait at this entry from now on. */
  adopt(users: readonly ConduitUser[]): void {
    const closed = new TunnelError("CLOSED", "the tunnel is closed");
    for (const user of users) {
      if (user instanceof EntryUser) user.move(this);
      else user.onNoConduit(closed);
    }
  }

  release(): void {
    this.context.counters.tcps--;
    this.context.slots.release();
  }
}

/** A user's connection until its relay begins; what it sends is kept meanwhile. */
class EntryUser extends EarlyReader implements ConduitUser, RelayOwner {
  readonly kind = "tcp";
  readonly remote: string;
  #entry: TcpEntry;
  readonly #stream: ByteStream;
  #done = false;
  readonly #dialling: Dialling | undefined;
  readonly #acceptedAt = performance.now();
  #blocked = false;
  #refusal: ConnectionRefusal = "gone";
  #load: PeerLoad | undefined;

  constructor(entry: TcpEntry, stream: ByteStream, dialling: Dialling | undefined) {
    super();
    this.#dialling = dialling;
    this.#entry = entry;
    this.#stream = stream;
    this.remote = remoteOf(stream);
  }

  /** It was accepted by another entry, which gives it away. */
  move(entry: TcpEntry): void {
    if (this.#done) return;
    if (!entry.context.slots.take()) {
      entry.context.counters.refusedSlot++;
      this.onNoConduit(new TunnelError("SLOTS_TAKEN", "all slots are taken"));
      return;
    }
    this.#entry.release();
    this.#entry = entry;
    entry.context.counters.tcps++;
    entry.source.request(this);
  }

  onConduit(conduit: Conduit): void {
    this.#done = true;
    const { context } = this.#entry;
    if (context.onConnection !== undefined) opened(context, this.remote);
    const relay = new Relay({
      context,
      local: this.#stream,
      remote: conduit.stream,
      earlyLocal: this.takeEarly(),
      earlyRemote: conduit.reader?.takeEarly(),
      inspection: context.inspection,
      answer: "remote",
      askedAt: this.#acceptedAt,
      owner: this,
    });
    if (conduit.load !== undefined && !relay.finished) {
      this.#load = conduit.load;
      conduit.load.began("tcp", relay);
    }
    if (context.debugs) context.log("debug", "tcp connection opened", { remote: this.remote });
    this.#dialling?.onOpen();
  }

  onBlocked(): void {
    this.#blocked = true;
    const { context } = this.#entry;
    context.counters.refusedBlocked++;
    context.logLimited("warn", "blocked protocol refused", { remote: this.remote });
  }

  onFinished(carried: CarriedBytes): void {
    const { context } = this.#entry;
    this.#entry.release();
    this.#load?.ended("tcp", carried);
    if (context.onConnection !== undefined) {
      closed(context, this.remote, carried, this.#blocked ? "blocked" : undefined);
    }
    if (context.debugs) context.log("debug", "tcp connection closed", { remote: this.remote });
  }

  onNoConduit(error: TunnelError): void {
    if (this.#done) return;
    const { context } = this.#entry;
    this.#refusal = refusalOf(error);
    if (error.code === "TARGET_UNREACHABLE") context.counters.failed++;
    else if (error.code === "POOL_TIMEOUT") context.counters.refusedPeer++;
    if (error.code === "TARGET_UNREACHABLE") {
      const { remote } = this;
      context.logRarely("error", "target unreachable", { remote, reason: error.message });
    } else {
      context.logLimited("warn", "connection refused: no pool connection in time", {
        timeoutMs: context.limits.poolGetTimeoutMs,
      });
    }
    this.#dialling?.onFailed(error);
    // The program has its error already, and no stream to get another from.
    if (this.#dialling === undefined) this.#stream.reset();
    else this.#stream.destroy();
  }

  override onClose(): void {
    if (this.#done) return;
    this.#done = true;
    const { context } = this.#entry;
    this.#entry.source.cancel(this);
    this.#entry.release();
    if (context.onConnection !== undefined) refused(context, this.remote, this.#refusal);
  }
}

function remoteOf(stream: ByteStream): string {
  return formatRemote(stream.remoteAddress ?? "0.0.0.0", stream.remotePort ?? 0);
}
