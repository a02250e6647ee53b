import type { ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import { DeadlineQueue } from "../deadline-queue.ts";
import { TunnelError } from "../errors.ts";
import type { Latency } from "../latencies.ts";
import type { Session } from "../session/session.ts";

/** Gives the current session's conduits to users, first come first served. */
export class ConduitQueue implements ConduitSource {
  readonly #waiting: DeadlineQueue<ConduitUser>;
  readonly #maxWaiting: number;
  readonly #timeoutMs: number;
  readonly #waits: Latency;
  #session: Pick<Session, "open" | "want"> | undefined;

  /**
   * @param timeoutMs longest wait, ms (`NP_POOL_GET_TIMEOUT`)
   * @param maxWaiting most who wait at once (`NP_SEMAPHORE_LIMIT`)
   * @param waits gets the time of each who was served
   */
  constructor(timeoutMs: number, maxWaiting: number, waits: Latency) {
    this.#waits = waits;
    this.#timeoutMs = timeoutMs;
    this.#maxWaiting = maxWaiting;
    this.#waiting = new DeadlineQueue(timeoutMs, (user) => this.#refuse(user));
  }

  /** The session to take from; those who wait go on waiting over a change. */
  setSession(session: Pick<Session, "open" | "want"> | undefined): void {
    this.#session = session;
    this.serve();
    if (this.#waiting.size > 0) session?.want(this.#waiting.size);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  request(user: ConduitUser): void {
    if (this.#waiting.size === 0) {
      const conduit = this.#session?.open(user.kind, user.remote);
      if (conduit !== undefined) {
        this.#waits.observe(0);
        user.onConduit(conduit);
        return;
      }
    }
    if (this.#waiting.size >= this.#maxWaiting) {
      this.#refuse(user);
      return;
    }
    this.#waiting.add(user);
    this.#session?.want(this.#waiting.size);
  }

  #refuse(user: ConduitUser): void {
    user.onNoConduit(
      new TunnelError("POOL_TIMEOUT", `no pool connection within ${this.#timeoutMs} ms`),
    );
  }

  cancel(user: ConduitUser): void {
    this.#waiting.delete(user);
  }

  /** A conduit has become available. */
  serve(): void {
    for (;;) {
      const user = this.#waiting.first;
      if (user === undefined) return;
      const conduit = this.#session?.open(user.kind, user.remote);
      if (conduit === undefined) return;
      this.#waits.observe(this.#waiting.age(user));
      this.#waiting.delete(user);
      user.onConduit(conduit);
    }
  }

  /** Takes out those who wait, oldest first: they are somebody else's now. */
  leave(): ConduitUser[] {
    const users: ConduitUser[] = [];
    this.#waiting.clear((user) => users.push(user));
    return users;
  }

  close(): void {
    this.#session = undefined;
    const closed = new TunnelError("CLOSED", "the tunnel is closed");
    this.#waiting.clear((user) => user.onNoConduit(closed));
  }
}
