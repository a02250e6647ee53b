import type { TunnelError } from "../errors.ts";
import type { DatagramBounds } from "../lane/lane-datagrams.ts";
import { Lanes } from "../lane/lanes.ts";
import { type ByteStream, OWNED } from "../stream/byte-stream.ts";
import { EarlyReader } from "../stream/early-reader.ts";
import type { FlushQueue } from "../stream/flush-queue.ts";
import type { Lingerer } from "../stream/lingerer.ts";
import type {
  Conduit,
  ConduitClaim,
  ConduitKind,
  Conduits,
  ConduitsOptions,
  Exit,
  Opening,
} from "./conduit.ts";
import { FramedConnection, type FramedOwner, type LaneKeeper } from "./framed-connection.ts";
import type { FramedStream } from "./framed-stream.ts";
import { PacedExit } from "./paced-exit.ts";

export interface FramedConduitsOptions extends ConduitsOptions {
  readonly flushes: FlushQueue;
  /** Where an exit leaves the connections of a session that is over. */
  readonly lingerer: Lingerer;
  /** How many of them are lanes, where users share some; 0: none. */
  readonly laneCount: number;
  readonly datagrams: DatagramBounds;
  /** The peer broke the rules of frames on a pool connection. */
  onViolation(error: TunnelError): void;
}

/**
 * Users over framed pool connections: one after another on each (docs/protocol.md, "Streams"), or many
 * at once on a few that are lanes ("Lanes").
 */
export class FramedConduits implements Conduits, FramedOwner, LaneKeeper {
  readonly role: "entry" | "exit";
  readonly #idle = new Set<FramedConnection>();
  readonly #options: FramedConduitsOptions;
  readonly #lanes: Lanes | undefined;
  readonly #exit: Exit | undefined;
  #closed = false;

  constructor(options: FramedConduitsOptions) {
    this.#options = options;
    this.role = options.role;
    this.#exit = options.exit && new PacedExit(options.exit, options.flushes);
    if (options.laneCount === 0) return;
    this.#lanes = new Lanes({
      role: options.role,
      count: options.laneCount,
      flushes: options.flushes,
      lingerer: options.lingerer,
      datagrams: options.datagrams,
      take: () => this.#take(),
      idle: () => this.#idle.size,
      onOpen: (kind, stream, remote) => this.#opened(kind, stream, remote, undefined),
      onViolation: (error) => options.onViolation(error),
    });
  }

  get size(): number {
    return this.#idle.size;
  }

  get unused(): number {
    return this.#idle.size + (this.#lanes?.idle ?? 0);
  }

  get lanes(): LaneKeeper | undefined {
    return this.#lanes === undefined ? undefined : this;
  }

  has(id: string): boolean {
    for (const connection of this.#idle) if (connection.id === id) return true;
    return false;
  }

  add(stream: ByteStream, id: string, early?: Buffer): void {
    if (this.#closed || stream.destroyed) {
      stream.destroy();
      return;
    }
    const connection = new FramedConnection(stream, id, this, this.#options.flushes);
    stream.setReader(connection);
    this.onReusable(connection);
    if (early !== undefined && early.length > 0) connection.onBytes(early, early.length, OWNED);
  }

  open(kind: ConduitKind, remote: string): Conduit | undefined {
    const framed = kind === "udp";
    const stream =
      this.#lanes === undefined ? this.#openAlone(framed, remote) : this.#lanes.open(kind, remote);
    return stream && { stream, framed, reader: undefined };
  }

  #openAlone(framed: boolean, remote: string): ByteStream | undefined {
    const connection = this.#take();
    return framed ? connection?.openUdp(remote) : connection?.open(remote);
  }

  /** Takes the connection that has been idle longest. */
  #take(): FramedConnection | undefined {
    for (const connection of this.#idle) {
      // One that was cut in this turn of the loop leaves the pool when it has closed.
      if (connection.stream.destroyed) continue;
      this.#idle.delete(connection);
      this.#options.onTaken(true);
      return connection;
    }
    return undefined;
  }

  onReusable(connection: FramedConnection): void {
    if (this.#closed) {
      connection.stream.destroy();
      return;
    }
    if (this.#lanes?.use(connection) === true) this.#options.onTaken(true);
    else this.#idle.add(connection);
    this.#options.onAvailable();
  }

  onGone(connection: FramedConnection): void {
    if (this.#closed) this.#options.lingerer.gone(connection);
    if (this.#idle.delete(connection)) {
      if (!this.#closed) this.#options.onTaken(!connection.idle);
    } else {
      this.#lanes?.onGone(connection);
    }
  }

  onLane(stream: ByteStream, id: string, early: Buffer | undefined): void {
    this.#lanes?.onLane(stream, id, early);
  }

  onGranted(connection: FramedConnection): void {
    if (this.#idle.delete(connection)) this.#options.onTaken(true);
    if (this.#closed) this.#options.lingerer.gone(connection);
    this.#lanes?.onGranted(connection);
  }

  onGoesOn(user: FramedStream, id: string, lane: number, stream: number): void {
    this.#lanes?.onGoesOn(user, id, lane, stream);
  }

  onOpenTcp(stream: ByteStream, remote: string): void {
    this.#opened("tcp", stream, remote, undefined);
  }

  onOpenUdp(stream: ByteStream, remote: string, early: Buffer | undefined): void {
    this.#opened("udp", stream, remote, early);
  }

  #opened(kind: ConduitKind, stream: ByteStream, remote: string, early: Buffer | undefined): void {
    const opening = new FramedOpening(kind, stream, remote);
    if (early !== undefined) opening.reader.onBytes(early);
    if (this.#exit === undefined) opening.refuse();
    else this.#exit.open(opening);
  }

  onViolation(error: TunnelError): void {
    this.#options.onViolation(error);
  }

  /** No signal is sent where pool connections are framed: this one can't be served. */
  signalled(): void {}

  tick(max: number, heard: boolean): void {
    this.#lanes?.tick(heard);
    this.trim(max);
  }

  /** Only the entry closes one: the exit can't know whether it is being opened at this moment. */
  trim(most: number): void {
    if (this.role === "exit") return;
    const over = Math.max(0, this.#idle.size - most);
    for (const connection of [...this.#idle].slice(0, over)) {
      this.#idle.delete(connection);
      connection.stream.destroy();
    }
  }

  flush(): void {
    for (const connection of [...this.#idle]) connection.stream.destroy();
  }

  /**
   * The session is over. The entry closes what is idle; the exit leaves that to the peer, which may
   * have given one to a user at this moment, and closes what is left a little later.
   */
  close(): void {
    this.#closed = true;
    if (this.role === "entry") this.flush();
    else for (const connection of this.#idle) this.#options.lingerer.leave(connection);
    this.#idle.clear();
    this.#lanes?.close();
  }
}

/** The peer's user on a framed connection: what he sends is kept until he is served. */
class FramedOpening implements Opening, Conduit {
  readonly kind: ConduitKind;
  readonly stream: ByteStream;
  readonly remote: string;
  readonly reader = new EarlyReader();

  constructor(kind: ConduitKind, stream: ByteStream, remote: string) {
    this.kind = kind;
    this.stream = stream;
    this.remote = remote;
    stream.setReader(this.reader);
  }

  get framed(): boolean {
    return this.kind === "udp";
  }

  claim(claim: ConduitClaim): void {
    claim.onConduit(this);
  }

  refuse(): void {
    this.stream.reset();
  }
}
