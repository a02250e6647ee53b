import type { ConduitSource, ConduitUser } from "../conduit/conduit.ts";
import { DeadlineQueue } from "../deadline-queue.ts";
import { TunnelError } from "../errors.ts";
import type { Latency } from "../latencies.ts";
import type { Session } from "../session/session.ts";
import { withPlace } from "../wire/endpoint.ts";

/** What is used of a session. */
export type QueuedSession = Pick<Session, "open" | "want"> & {
  readonly terms: Pick<Session["terms"], "ports">;
};

function remoteOf({ remote, place = 0 }: ConduitUser): string {
  return withPlace(remote, place);
}

/** Gives the current session's conduits to users, first come first served. */
export class ConduitQueue implements ConduitSource {
  readonly #waiting: DeadlineQueue<ConduitUser>;
  readonly #maxWaiting: number;
  readonly #timeoutMs: number;
  readonly #waits: Latency;
  #session: QueuedSession | undefined;

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
  setSession(session: QueuedSession | undefined): void {
    this.#session = session;
    this.serve();
    if (this.#waiting.size > 0) session?.want(this.#waiting.size);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  request(user: ConduitUser): void {
    if (this.#waiting.size === 0) {
      if (this.#cannotTell(user)) return;
      const conduit = this.#session?.open(user.kind, remoteOf(user));
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

  /** Of a range only the first port leads anywhere towards a peer that knows no ranges. */
  #cannotTell(user: ConduitUser): boolean {
    const { place = 0 } = user;
    if (place === 0 || this.#session === undefined || this.#session.terms.ports === true) {
      return false;
    }
    user.onNoConduit(
      new TunnelError(
        "TARGET_UNREACHABLE",
        "the other end knows no ranges of ports: only the first is served",
      ),
    );
    return true;
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
      if (this.#cannotTell(user)) {
        this.#waiting.delete(user);
        continue;
      }
      const conduit = this.#session?.open(user.kind, remoteOf(user));
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
