import type { ConnectionPool, PoolClaim } from "../pool/connection-pool.ts";
import type { PoolConnection } from "../pool/pool-connection.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { Signal } from "../wire/signal.ts";
import type {
  Conduit,
  ConduitClaim,
  ConduitKind,
  Conduits,
  ConduitsOptions,
  Opening,
} from "./conduit.ts";

export interface ClaimedConduitsOptions extends ConduitsOptions {
  readonly pool: ConnectionPool;
  /** Datagrams have their length before them (both ends are nodes of this project). */
  readonly framed: boolean;
  send(signal: Signal): void;
}

/**
 * Users in the way of NodePass 1.14: each gets a pool connection for himself, which a signal names
 * by its id (docs/protocol.md, part 1).
 */
export class ClaimedConduits implements Conduits {
  readonly #options: ClaimedConduitsOptions;
  readonly #pool: ConnectionPool;

  constructor(options: ClaimedConduitsOptions) {
    this.#options = options;
    this.#pool = options.pool;
  }

  get size(): number {
    return this.#pool.size;
  }

  get unused(): number {
    return this.#pool.size;
  }

  has(id: string): boolean {
    return this.#pool.has(id);
  }

  add(stream: ByteStream, id: string, early?: Buffer): void {
    this.#pool.add(stream, id, early);
  }

  open(kind: ConduitKind, remote: string): Conduit | undefined {
    const connection = this.#pool.take();
    if (connection === undefined) return undefined;
    this.#options.send({ action: kind, remote, id: connection.id });
    return conduitOf(connection, kind === "udp" && this.#options.framed);
  }

  signalled(kind: ConduitKind, id: string, remote: string): void {
    const framed = kind === "udp" && this.#options.framed;
    this.#options.exit?.open(new ClaimedOpening(this.#pool, kind, id, remote, framed));
  }

  /** Each is used once, so the pool grows smaller by itself. */
  trim(): void {}

  tick(): void {
    this.#pool.sweepEnded();
  }

  flush(): void {
    this.#pool.flush();
  }

  close(): void {
    this.#pool.close();
  }
}

function conduitOf(connection: PoolConnection, framed: boolean): Conduit {
  return { stream: connection.stream, framed, reader: connection };
}

/** The peer's user, whose pool connection may still be on its way. */
class ClaimedOpening implements Opening, PoolClaim {
  readonly kind: ConduitKind;
  readonly id: string;
  readonly remote: string;
  readonly #pool: ConnectionPool;
  readonly #framed: boolean;
  #claim: ConduitClaim | undefined;
  #connection: PoolConnection | undefined;
  #refused = false;

  constructor(
    pool: ConnectionPool,
    kind: ConduitKind,
    id: string,
    remote: string,
    framed: boolean,
  ) {
    this.#pool = pool;
    this.kind = kind;
    this.id = id;
    this.remote = remote;
    this.#framed = framed;
  }

  claim(claim: ConduitClaim): void {
    this.#claim = claim;
    this.#pool.claim(this);
  }

  onConnection(connection: PoolConnection | undefined): void {
    this.#connection = connection;
    if (this.#refused) connection?.stream.reset();
    else this.#claim?.onConduit(connection && conduitOf(connection, this.#framed));
  }

  refuse(): void {
    if (this.#refused) return;
    this.#refused = true;
    if (this.#connection !== undefined) {
      this.#connection.stream.reset();
    } else {
      // It may still come: a fresh wait for it, whether or not there was one.
      this.#pool.unclaim(this);
      this.#pool.claim(this);
    }
  }
}
