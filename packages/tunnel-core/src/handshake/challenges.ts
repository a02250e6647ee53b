import { DeadlineQueue } from "../deadline-queue.ts";
import { newNonce } from "../wire/proof.ts";

/** A nonce of ours that is good once. */
export interface Challenge {
  readonly clientNonce: Buffer;
  readonly serverNonce: Buffer;
  /** When it was made, of `performance.now()`. */
  readonly madeAt: number;
}

/** The challenges that a server has made and nobody has answered. */
export interface Challenges {
  /** For a first request on this connection. */
  make(connection: object, clientNonce: Buffer): Challenge;
  /** For the second one; it is used up, whatever becomes of it. */
  take(connection: object, clientNonce: Buffer): Challenge | undefined;
  close(): void;
}

/** Each is good on the connection it was sent on, as long as that is open. */
export class ConnectionChallenges implements Challenges {
  readonly #challenges = new WeakMap<object, Challenge>();

  make(connection: object, clientNonce: Buffer): Challenge {
    const challenge = { clientNonce, serverNonce: newNonce(), madeAt: performance.now() };
    this.#challenges.set(connection, challenge);
    return challenge;
  }

  take(connection: object, clientNonce: Buffer): Challenge | undefined {
    const challenge = this.#challenges.get(connection);
    this.#challenges.delete(connection);
    return challenge?.clientNonce.equals(clientNonce) === true ? challenge : undefined;
  }

  close(): void {}
}

/** Most challenges kept at once; the oldest goes first. */
const MAX_CHALLENGES = 1024;

/**
 * Behind a reverse proxy, which puts each request of a client on any of its own connections: a
 * challenge is found by the client's nonce. A first request that comes twice (a proxy may repeat it)
 * gets the same challenge twice, so nobody who has seen a nonce can take the challenge away.
 */
export class ProxiedChallenges implements Challenges {
  readonly #challenges = new Map<string, Challenge>();
  readonly #deadlines: DeadlineQueue<string>;

  /** @param timeoutMs how long one is good, ms */
  constructor(timeoutMs: number) {
    this.#deadlines = new DeadlineQueue(timeoutMs, (nonce) => this.#challenges.delete(nonce));
  }

  make(_connection: object, clientNonce: Buffer): Challenge {
    const nonce = clientNonce.toString("hex");
    const known = this.#challenges.get(nonce);
    if (known !== undefined) return known;
    for (const oldest of this.#challenges.keys()) {
      if (this.#challenges.size < MAX_CHALLENGES) break;
      this.#forget(oldest);
    }
    const challenge = { clientNonce, serverNonce: newNonce(), madeAt: performance.now() };
    this.#challenges.set(nonce, challenge);
    this.#deadlines.add(nonce);
    return challenge;
  }

  take(_connection: object, clientNonce: Buffer): Challenge | undefined {
    const nonce = clientNonce.toString("hex");
    const challenge = this.#challenges.get(nonce);
    this.#forget(nonce);
    return challenge;
  }

  #forget(nonce: string): void {
    this.#challenges.delete(nonce);
    this.#deadlines.delete(nonce);
  }

  close(): void {
    this.#challenges.clear();
    this.#deadlines.clear();
  }
}
