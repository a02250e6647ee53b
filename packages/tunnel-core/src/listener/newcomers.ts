import { DeadlineQueue } from "../deadline-queue.ts";

/** Most newcomers of a kind at once. */
const MAX_NEWCOMERS = 1024;
/** So many more for each session at the port after the first, and the most of all. */
const MORE_NEWCOMERS = 64;
const MOST_NEWCOMERS = 8192;
/** Of those, most from one address. */
const MAX_PER_ADDRESS = 256;
/** The same from a present client's address; with more for each session as above. */
const MAX_EXPECTED = 512;

/** Something that has come to the tunnel port and has not shown yet what it is. */
export interface Newcomer {
  /** IP address that it comes from. */
  readonly address: string;
  /** Closes it now. */
  drop(): void;
}

/** How newcomers of a kind are bounded. */
export interface NewcomersOptions {
  /** From its coming to its proof, ms (`NP_HANDSHAKE_TIMEOUT`). */
  readonly timeoutMs: number;
  /** @param reason fixed text for the log @param late its time was over, not the room */
  onDropped(reason: string, newcomer: Newcomer, late: boolean): void;
  /**
   * Whether an address may have more than others: over a long road, the client has as many
   * handshakes in the making as users wait.
   */
  expectsMany(address: string): boolean;
  /** The sessions at the port. @default one */
  readonly sessions?: { readonly size: number } | undefined;
}

/**
 * What has come to the tunnel port and has not proved itself: connections over TCP, connections over
 * QUIC, and streams on either. Each has a deadline, and when there are too many of a kind the one
 * that has been silent longest goes, of the same address first. So a stranger can't take all places,
 * and who speaks at once is never refused.
 */
export class Newcomers {
  readonly #deadlines: DeadlineQueue<Newcomer>;
  readonly #byAddress = new Map<string, Set<Newcomer>>();
  readonly #options: NewcomersOptions;

  constructor(options: NewcomersOptions) {
    this.#options = options;
    this.#deadlines = new DeadlineQueue(options.timeoutMs, (newcomer) => {
      this.#drop(newcomer, "connection at the tunnel port said nothing useful in time", true);
    });
  }

  get size(): number {
    return this.#deadlines.size;
  }

  add(newcomer: Newcomer): void {
    const { address } = newcomer;
    const before = this.#byAddress.get(address);
    if (before !== undefined && before.size >= this.#most(address, before.size)) {
      this.#dropOldest(before);
    } else if (this.#deadlines.size >= MAX_NEWCOMERS + this.#more) {
      this.#dropOldest(this.#largest());
    }
    // Dropping the oldest may have emptied and removed the set.
    const same = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, same.add(newcomer));
    this.#deadlines.add(newcomer);
  }

  /** It has shown what it is, or has closed. No-op for others. */
  delete(newcomer: Newcomer): void {
    this.#deadlines.delete(newcomer);
    const { address } = newcomer;
    const same = this.#byAddress.get(address);
    if (same?.delete(newcomer) === true && same.size === 0) this.#byAddress.delete(address);
  }

  /** Closes all. */
  close(): void {
    this.#deadlines.clear((newcomer) => newcomer.drop());
    this.#byAddress.clear();
  }

  /** Whose address it is, is asked only when it matters. */
  #most(address: string, count: number): number {
    if (count < MAX_PER_ADDRESS) return MAX_PER_ADDRESS;
    return this.#options.expectsMany(address) ? MAX_EXPECTED + this.#more : MAX_PER_ADDRESS;
  }

  /** The clients of many tunnels on one port come at once when it is back. */
  get #more(): number {
    const others = Math.max(0, (this.#options.sessions?.size ?? 1) - 1);
    return Math.min(MOST_NEWCOMERS - MAX_NEWCOMERS, others * MORE_NEWCOMERS);
  }

  #largest(): ReadonlySet<Newcomer> {
    let largest: ReadonlySet<Newcomer> = new Set();
    for (const same of this.#byAddress.values()) if (same.size > largest.size) largest = same;
    return largest;
  }

  #dropOldest(newcomers: ReadonlySet<Newcomer>): void {
    const [oldest] = newcomers;
    if (oldest === undefined) return;
    this.#drop(oldest, "too many connections at the tunnel port: the oldest silent one closed");
  }

  #drop(newcomer: Newcomer, reason: string, late = false): void {
    this.delete(newcomer);
    this.#options.onDropped(reason, newcomer, late);
    newcomer.drop();
  }
}
