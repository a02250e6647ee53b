import type { Socket } from "node:net";
import type { AddressGate } from "../access/address-gate.ts";
import type { Conduit, ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import { TunnelError } from "../errors.ts";
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
import { adoptTcp } from "../stream/tcp-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { ConnectionRefusal } from "../tunnel-reports.ts";
import { addressOf, formatRemote } from "../wire/endpoint.ts";
import type { PortCounts } from "./port-counts.ts";
import { ProxiedUsers } from "./proxied-users.ts";
import type { UserOrigin } from "./user-origin.ts";

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
  accept(socket: Socket, at?: PortCounts): void {
    const { userGate, trust, buffers } = this.context;
    if (trust?.admits(socket.remoteAddress ?? "") === true) {
      this.#proxied ??= new ProxiedUsers(this.context);
      this.#proxied.read(adoptTcp(socket, buffers), (stream, origin) =>
        this.takeRouted(stream, origin, at),
      );
      return;
    }
    if (userGate !== undefined && !this.#mayCome(userGate, socket)) return;
    this.take(adoptTcp(socket, buffers), undefined, undefined, at);
  }

  /** Where those are whose first bytes are still awaited. */
  #proxied: ProxiedUsers | undefined;

  /** A connection whose first bytes have been looked at. */
  takeRouted(stream: ByteStream, origin: UserOrigin, at?: PortCounts): void {
    const { userGate } = this.context;
    const { address, port } = origin.source ?? {
      address: stream.remoteAddress ?? "",
      port: stream.remotePort ?? 0,
    };
    if (userGate === undefined || this.#admits(userGate, address, port)) {
      this.take(stream, undefined, origin, at);
    } else stream.reset();
  }

  /** Ends what has not shown yet whose it is. */
  close(): void {
    this.#proxied?.close();
  }

  #mayCome(gate: AddressGate, socket: Socket): boolean {
    const { remoteAddress = "", remotePort = 0 } = socket;
    if (this.#admits(gate, remoteAddress, remotePort)) return true;
    socket.resetAndDestroy();
    return false;
  }

  #admits(gate: AddressGate, address: string, port: number): boolean {
    if (gate.admits(address)) return true;
    const { context } = this;
    context.counters.accepted++;
    if (context.onConnection !== undefined) refused(context, formatRemote(address, port), "denied");
    return false;
  }

  /**
   * Any stream as a user's.
   *
   * @param dialling the program, where it is the user itself
   * @param origin where its first bytes have been looked at; the stream is paused then
   * @param at the port of a range that it came to
   */
  take(stream: ByteStream, dialling?: Dialling, origin?: UserOrigin, at?: PortCounts): void {
    const { context } = this;
    const { counters } = context;
    counters.accepted++;
    const address = context.slots.asksAddress ? addressOfUser(stream, origin) : "";
    const slot = context.slots.take(address);
    if (slot === undefined) {
      const reason = noSlot(context, address);
      if (context.onConnection !== undefined) refused(context, remoteOf(stream, origin), reason);
      if (dialling === undefined) stream.reset();
      else dialling.onFailed(new TunnelError("SLOTS_TAKEN", "all slots are taken"));
      return;
    }
    counters.tcps++;
    const user = new EntryUser(this, stream, dialling, slot, origin, at);
    stream.setReader(user);
    if (origin !== undefined && user.begin(origin)) stream.resume();
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

  release(slot: Slot): void {
    this.context.counters.tcps--;
    this.context.slots.release(slot);
  }
}

/** A user's connection until its relay begins; what it sends is kept meanwhile. */
class EntryUser extends EarlyReader implements ConduitUser, RelayOwner {
  readonly kind = "tcp";
  #remote: string | undefined;
  readonly authority: string | undefined;
  readonly #at: PortCounts | undefined;
  #finished = false;
  #entry: TcpEntry;
  readonly #stream: ByteStream;
  #done = false;
  readonly #dialling: Dialling | undefined;
  readonly #acceptedAt = performance.now();
  #blocked = false;
  #refusal: ConnectionRefusal = "gone";
  #load: PeerLoad | undefined;

  #slot: Slot;

  constructor(
    entry: TcpEntry,
    stream: ByteStream,
    dialling: Dialling | undefined,
    slot: Slot,
    origin: UserOrigin | undefined,
    at: PortCounts | undefined,
  ) {
    super();
    this.#at = at;
    this.#slot = slot;
    this.#dialling = dialling;
    this.#entry = entry;
    this.#stream = stream;
    // Afterwards it may be too late to ask.
    if (origin?.source !== undefined || entry.context.onConnection !== undefined) {
      this.#remote = remoteOf(stream, origin);
    }
    this.authority = origin?.authority;
  }

  /** The system is asked once, and only if somebody wants to know. */
  get remote(): string {
    this.#remote ??= remoteOf(this.#stream);
    return this.#remote;
  }

  get place(): number {
    return this.#at?.place ?? 0;
  }

  /** What has been read already. @returns whether to read on */
  begin({ early, ended }: UserOrigin): boolean {
    const go = early.length === 0 || this.onBytes(early);
    if (ended) this.onEnd();
    return go;
  }

  /** It was accepted by another entry, which gives it away. */
  move(entry: TcpEntry): void {
    if (this.#done) return;
    const address = addressOf(this.remote);
    const slot = entry.context.slots.take(address);
    if (slot === undefined) {
      noSlot(entry.context, address);
      this.onNoConduit(new TunnelError("SLOTS_TAKEN", "all slots are taken"));
      return;
    }
    this.#entry.release(this.#slot);
    this.#slot = slot;
    this.#entry = entry;
    entry.context.counters.tcps++;
    entry.source.request(this);
  }

  onConduit(conduit: Conduit): void {
    this.#done = true;
    const { context } = this.#entry;
    if (context.onConnection !== undefined) opened(context, this.remote);
    const rates = context.connectionRates;
    const relay = new Relay({
      context,
      local: rates === undefined ? this.#stream : throttled(this.#stream, rates.inbound),
      remote: rates === undefined ? conduit.stream : throttled(conduit.stream, rates.outbound),
      earlyLocal: this.takeEarly(),
      earlyRemote: conduit.reader?.takeEarly(),
      inspection: context.inspection,
      answer: "remote",
      askedAt: this.#acceptedAt,
      owner: this,
    });
    // It may have ended at once.
    if (!this.#finished) {
      this.#at?.began("tcp", relay);
      this.#load = conduit.load;
      this.#load?.began("tcp", relay);
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
    this.#finished = true;
    this.#at?.ended("tcp", carried);
    const { context } = this.#entry;
    this.#entry.release(this.#slot);
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
    this.#entry.release(this.#slot);
    if (context.onConnection !== undefined) refused(context, this.remote, this.#refusal);
  }
}

function addressOfUser(stream: ByteStream, origin: UserOrigin | undefined): string {
  return origin?.source?.address ?? stream.remoteAddress ?? "0.0.0.0";
}

function remoteOf(stream: ByteStream, origin?: UserOrigin): string {
  if (origin?.source !== undefined) {
    return formatRemote(origin.source.address, origin.source.port);
  }
  return formatRemote(addressOfUser(stream, origin), stream.remotePort ?? 0);
}
