import { DeadlineQueue } from "../deadline-queue.ts";
import { type ByteStream, OWNED } from "../stream/byte-stream.ts";
import { PoolConnection } from "./pool-connection.ts";

/** Somebody who waits for the pool connection with a certain id. */
export interface PoolClaim {
  readonly id: string;
  /** Called once: with the connection, or with `undefined` when it did not come in time. */
  onConnection(connection: PoolConnection | undefined): void;
}

export interface PoolOptions {
  /** Whether this end takes connections (entry) or claims them by id (exit). */
  readonly role: "entry" | "exit";
  /** Longest wait of a claim for its connection, ms. */
  readonly claimTimeoutMs: number;
  /** Most claims that wait at once. */
  readonly maxClaims: number;
  /** An idle connection was added, for the entry to take. */
  onAvailable?(): void;
  /** A connection has left the pool: it is used, or lost. */
  onTaken?(used: boolean): void;
  /** An idle connection has closed, or was ended by the peer: it can't be claimed any more. */
  onLost?(connection: PoolConnection): void;
}

/** The ready connections of one session, by id: each is used for one user, and once. */
export class ConnectionPool {
  readonly #idle = new Map<string, PoolConnection>();
  readonly #claims = new Map<string, PoolClaim>();
  readonly #deadlines: DeadlineQueue<PoolClaim>;
  readonly #options: PoolOptions;
  /** Connections in `#idle` whose peer has sent its FIN: claimable, not ready. */
  #ended = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#deadlines = new DeadlineQueue(options.claimTimeoutMs, (claim) => {
      this.#claims.delete(claim.id);
      claim.onConnection(undefined);
    });
  }

  /** Ready connections. */
  get size(): number {
    return this.#idle.size - this.#ended;
  }

  has(id: string): boolean {
    return this.#idle.has(id);
  }

  /**
   * Adds a connection; it goes to the claim that waits for its id, else it is idle.
   *
   * @param early bytes that came with the connection's opening
   */
  add(stream: ByteStream, id: string, early?: Buffer): void {
    const connection = new PoolConnection(this, stream, id);
    if (this.#closed || stream.destroyed || this.#idle.has(id)) {
      stream.setReader(connection);
      stream.destroy();
      return;
    }
    stream.setReader(connection);
    if (early !== undefined && early.length > 0) connection.onBytes(early, early.length, OWNED);
    const claim = this.#claims.get(id);
    if (claim !== undefined) {
      this.#claims.delete(id);
      this.#deadlines.delete(claim);
      claim.onConnection(connection);
      return;
    }
    this.#idle.set(id, connection);
    this.#options.onAvailable?.();
  }

  /** Takes any ready connection (the one that has been idle longest). */
  take(): PoolConnection | undefined {
    for (const connection of this.#idle.values()) {
      // One that was cut in this turn of the loop leaves the pool when it has closed.
      if (connection.stream.destroyed) continue;
      this.#idle.delete(connection.id);
      this.#options.onTaken?.(true);
      return connection;
    }
    return undefined;
  }

  /** Takes the connection with this id, now or when it arrives. */
  claim(claim: PoolClaim): void {
    const connection = this.#idle.get(claim.id);
    if (connection !== undefined) {
      this.#idle.delete(claim.id);
      if (connection.ended) this.#ended--;
      else this.#options.onTaken?.(true);
      claim.onConnection(connection);
      return;
    }
    const full = this.#claims.size >= this.#options.maxClaims;
    if (this.#closed || full || this.#claims.has(claim.id)) {
      claim.onConnection(undefined);
      return;
    }
    this.#claims.set(claim.id, claim);
    this.#deadlines.add(claim);
  }

  /** Gives up a claim; its `onConnection` is not called. */
  unclaim(claim: PoolClaim): void {
    if (this.#claims.get(claim.id) !== claim) return;
    this.#claims.delete(claim.id);
    this.#deadlines.delete(claim);
  }

  /** The peer ended an idle connection. */
  ended(connection: PoolConnection): void {
    if (this.#idle.get(connection.id) !== connection) return;
    // An exit's connection may have been used and ended before its signal is read.
    if (this.#options.role === "exit" && !this.#closed) {
      this.#ended++;
      this.#options.onTaken?.(false);
      return;
    }
    this.#idle.delete(connection.id);
    this.#options.onLost?.(connection);
    connection.stream.destroy();
    if (!this.#closed) this.#options.onTaken?.(false);
  }

  /** An idle connection has closed. */
  remove(connection: PoolConnection): void {
    if (this.#idle.get(connection.id) !== connection) return;
    this.#idle.delete(connection.id);
    this.#options.onLost?.(connection);
    if (connection.ended) this.#ended--;
    else if (!this.#closed) this.#options.onTaken?.(false);
  }

  /** Closes connections that ended long ago and that no signal has claimed. */
  #stale = new Set<PoolConnection>();
  sweepEnded(): void {
    const stale = this.#stale;
    this.#stale = new Set();
    if (this.#ended === 0) return;
    for (const connection of this.#idle.values()) {
      if (!connection.ended) continue;
      if (stale.has(connection)) connection.stream.destroy();
      else this.#stale.add(connection);
    }
  }

  /** Closes every idle connection (`flush`); the pool goes on. */
  flush(): void {
    for (const connection of [...this.#idle.values()]) connection.stream.destroy();
  }

  /** Closes every idle connection and fails every claim. */
  close(): void {
    this.#closed = true;
    this.#deadlines.clear((claim) => claim.onConnection(undefined));
    this.#claims.clear();
    this.flush();
    this.#idle.clear();
    this.#ended = 0;
  }
}
