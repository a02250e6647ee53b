import type { TunnelError } from "../errors.ts";
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
  Opening,
} from "./conduit.ts";
import { FramedConnection, type FramedOwner } from "./framed-connection.ts";

export interface FramedConduitsOptions extends ConduitsOptions {
  readonly flushes: FlushQueue;
  /** Where an exit leaves the connections of a session that is over. */
  readonly lingerer: Lingerer;
  /** The peer broke the rules of frames on a pool connection. */
  onViolation(error: TunnelError): void;
}

/**
 * Users over framed pool connections, one after another on each (docs/protocol.md, "Streams").
 */
export class FramedConduits implements Conduits, FramedOwner {
  readonly role: "entry" | "exit";
  readonly #idle = new Set<FramedConnection>();
  readonly #options: FramedConduitsOptions;
  #closed = false;

  constructor(options: FramedConduitsOptions) {
    this.#options = options;
    this.role = options.role;
  }

  get size(): number {
    return this.#idle.size;
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

  /** Takes the connection that has been idle longest. */
  open(kind: ConduitKind, remote: string): Conduit | undefined {
    for (const connection of this.#idle) {
      // One that was cut in this turn of the loop leaves the pool when it has closed.
      if (connection.stream.destroyed) continue;
      this.#idle.delete(connection);
      this.#options.onTaken(true);
      const framed = kind === "udp";
      const stream = framed ? connection.openUdp(remote) : connection.open(remote);
      return { stream, framed, reader: undefined };
    }
    return undefined;
  }

  onReusable(connection: FramedConnection): void {
    if (this.#closed) {
      connection.stream.destroy();
      return;
    }
    this.#idle.add(connection);
    this.#options.onAvailable();
  }

  onGone(connection: FramedConnection): void {
    if (this.#closed) this.#options.lingerer.gone(connection);
    if (this.#idle.delete(connection) && !this.#closed) this.#options.onTaken(!connection.idle);
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
    const { exit } = this.#options;
    if (exit === undefined) opening.refuse();
    else exit.open(opening);
  }

  onViolation(error: TunnelError): void {
    this.#options.onViolation(error);
  }

  /** No signal is sent where pool connections are framed: this one can't be served. */
  signalled(): void {}

  tick(max: number): void {
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
