import type { Duct } from "./duct.ts";
import type { Ledger, PeerTimings } from "./ledger.ts";

/** Id of the connection that becomes the control connection. */
export const CONTROL_ID = "00000000";

/** What a claim brought: the connection, or why there is none. */
export type Claim =
  | { readonly kind: "duct"; readonly duct: Duct }
  /** A flush closed it while the signal was on its way. */
  | { readonly kind: "stale" }
  | { readonly kind: "none"; readonly violation: string };

export interface PoolOptions {
  readonly ledger: Ledger;
  readonly timings: PeerTimings;
  /** Whether this node takes the users' connections: then the other end never sends first. */
  readonly selfIsEntry: boolean;
  /** Ends the session after a violation was noted. */
  fail(violation: string): void;
  /** How an announced id that is not here yet is treated: the client waits for it to arrive. */
  readonly waitForIds: boolean;
}

interface TakeWaiter {
  give(duct: Duct | undefined): void;
}

/**
 * The idle pool connections of one session. As in 1.14 nobody looks at an idle connection: bytes
 * and EOF wait for whoever takes it. What can't be explained by a signal soon is a violation.
 */
export class Pool114 {
  readonly #options: PoolOptions;
  readonly #idle = new Map<string, Duct>();
  readonly #seen = new Set<string>();
  readonly #flushed = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #takers: TakeWaiter[] = [];
  readonly #claimers = new Map<string, (claim: Claim) => void>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get idle(): number {
    return this.#idle.size;
  }

  /** Adds a connection under the id that the server gave it. */
  add(duct: Duct): void {
    const { id } = duct;
    if (this.#closed) {
      duct.destroy();
      return;
    }
    if (id === CONTROL_ID || this.#seen.has(id)) {
      duct.destroy();
      this.#options.fail(`pool connection id ${id} was given a second time`);
      return;
    }
    this.#seen.add(id);
    const claimer = this.#claimers.get(id);
    if (claimer !== undefined) {
      this.#claimers.delete(id);
      claimer({ kind: "duct", duct });
      return;
    }
    this.#idle.set(id, duct);
    duct.onIdle = (event) => this.#watch(duct, event === "data");
    if (duct.heldBytes > 0) this.#watch(duct, true);
    else if (duct.over) this.#watch(duct, false);
    const taker = duct.over ? undefined : this.#takers.shift();
    if (taker !== undefined) taker.give(this.#remove(id));
  }

  /** For the entry and for `verify`: an idle connection, waited for if there is none. */
  take(which: "oldest" | "newest" = "oldest"): Promise<Duct | undefined> {
    const alive = [...this.#idle.values()].filter((duct) => !duct.over);
    const ready = which === "oldest" ? alive[0] : alive.at(-1);
    if (ready !== undefined) return Promise.resolve(this.#remove(ready.id));
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const waiter: TakeWaiter = {
        give: (duct) => {
          clearTimeout(timer);
          resolve(duct);
        },
      };
      const timer = setTimeout(() => {
        this.#takers.splice(this.#takers.indexOf(waiter), 1);
        this.#options.ledger.counters.poolTimeouts++;
        resolve(undefined);
      }, this.#options.timings.poolGetTimeoutMs);
      this.#takers.push(waiter);
    });
  }

  /** For a signal: the connection with this id, once only. */
  claim(id: string): Promise<Claim> {
    const duct = this.#remove(id);
    if (duct !== undefined) return Promise.resolve({ kind: "duct", duct });
    if (this.#flushed.delete(id)) {
      this.#options.ledger.counters.staleClaims++;
      return Promise.resolve({ kind: "stale" });
    }
    const none = (violation: string): Claim => ({ kind: "none", violation });
    if (id === CONTROL_ID) return Promise.resolve(none("signal names the control connection"));
    if (this.#seen.has(id)) return Promise.resolve(none(`pool connection ${id} claimed twice`));
    if (!this.#options.waitForIds || this.#claimers.has(id)) {
      return Promise.resolve(none(`signal names the unknown pool connection ${id}`));
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#claimers.delete(id);
        resolve(none(`signal names the pool connection ${id}, which never came`));
      }, this.#options.timings.poolGetTimeoutMs);
      this.#claimers.set(id, (claim) => {
        clearTimeout(timer);
        resolve(claim);
      });
    });
  }

  /** Closes all idle connections; later signals that name one of them are stale, not wrong. */
  flush(): void {
    for (const [id, duct] of this.#idle) {
      this.#unwatch(duct);
      this.#flushed.add(id);
      duct.destroy();
    }
    this.#idle.clear();
  }

  close(): void {
    this.#closed = true;
    this.flush();
    for (const taker of this.#takers.splice(0)) taker.give(undefined);
    for (const claimer of this.#claimers.values()) claimer({ kind: "stale" });
    this.#claimers.clear();
  }

  #remove(id: string): Duct | undefined {
    const duct = this.#idle.get(id);
    if (duct === undefined) return undefined;
    this.#idle.delete(id);
    this.#unwatch(duct);
    return duct;
  }

  #unwatch(duct: Duct): void {
    duct.onIdle = undefined;
    clearTimeout(this.#timers.get(duct.id));
    this.#timers.delete(duct.id);
  }

  #watch(duct: Duct, sent: boolean): void {
    const { selfIsEntry, timings, ledger, fail } = this.#options;
    if (sent && duct.peek(16).toString("latin1") === "GET / HTTP/1.1\r\n") {
      // The other end thinks that the session is over and shakes hands with the wrong listener.
      ledger.counters.strayHandshakes++;
      this.#remove(duct.id);
      duct.destroy();
      return;
    }
    if (sent && selfIsEntry) {
      fail(`the exit sent ${duct.heldBytes} bytes on the idle pool connection ${duct.id}`);
      return;
    }
    if (this.#timers.has(duct.id)) return;
    const timer = setTimeout(() => {
      fail(
        duct.heldBytes > 0
          ? `${duct.heldBytes} bytes on pool connection ${duct.id} without a signal (does the other end speak first?)`
          : `idle pool connection ${duct.id} was closed by the other end without a flush`,
      );
    }, timings.unsignalledMs);
    this.#timers.set(duct.id, timer);
  }
}
