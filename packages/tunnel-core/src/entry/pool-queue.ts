import { DeadlineQueue } from "../deadline-queue.ts";
import type { PoolMember } from "../pool/connection-pool.ts";
import type { Session } from "../session/session.ts";

/** Somebody at the entry who needs a pool connection. */
export interface PoolTaker {
  onConnection(session: Session, connection: PoolMember): void;
  /** None came in time, or the tunnel closes. */
  onNoConnection(): void;
}

/** Hands pool connections of the current session to those who need one, first come first served. */
export class PoolQueue {
  readonly #waiting: DeadlineQueue<PoolTaker>;
  readonly #maxWaiting: number;
  #session: Session | undefined;

  /**
   * @param timeoutMs longest wait, ms (`NP_POOL_GET_TIMEOUT`)
   * @param maxWaiting most who wait at once (`NP_SEMAPHORE_LIMIT`)
   */
  constructor(timeoutMs: number, maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
    this.#waiting = new DeadlineQueue(timeoutMs, (taker) => taker.onNoConnection());
  }

  /** The session to take from; those who wait go on waiting over a change. */
  setSession(session: Session | undefined): void {
    this.#session = session;
    this.serve();
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  request(taker: PoolTaker): void {
    const session = this.#session;
    if (session !== undefined && this.#waiting.size === 0) {
      const connection = session.take();
      if (connection !== undefined) {
        taker.onConnection(session, connection);
        return;
      }
    }
    if (this.#waiting.size >= this.#maxWaiting) taker.onNoConnection();
    else this.#waiting.add(taker);
  }

  cancel(taker: PoolTaker): void {
    this.#waiting.delete(taker);
  }

  /** A pool connection has become available. */
  serve(): void {
    const session = this.#session;
    while (session !== undefined && this.#waiting.size > 0) {
      const connection = session.take();
      if (connection === undefined) return;
      this.#waiting.shift()?.onConnection(session, connection);
    }
  }

  close(): void {
    this.#session = undefined;
    this.#waiting.clear((taker) => taker.onNoConnection());
  }
}
