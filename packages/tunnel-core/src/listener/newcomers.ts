import type { Socket } from "node:net";
import { DeadlineQueue } from "../deadline-queue.ts";

/** Most connections at the tunnel port that have not shown yet what they are. */
const MAX_NEWCOMERS = 1024;
/** So many more for each session beyond the first, and the most of all. */
const MORE_NEWCOMERS = 64;
const MOST_NEWCOMERS = 8192;
/** Of those, most from one address. */
const MAX_PER_ADDRESS = 256;
/** The same from a present client's address, for each of its sessions. */
const MAX_EXPECTED = 512;

/** What is known of the clients that are there. */
export interface ExpectedNewcomers {
  /** Sessions at the port. */
  readonly size: number;
  /** Those of an address that have, over a long road, as many handshakes in the making as users wait. */
  expected(address: string): number;
}

const NOBODY: ExpectedNewcomers = { size: 0, expected: () => 0 };

/**
 * Connections at the tunnel port that have not proved themselves: each has a deadline, and when
 * there are too many the one that has been silent longest goes, of the same address first. So a
 * stranger can't take all places, and who speaks at once is never refused.
 */
export class Newcomers {
  readonly #deadlines: DeadlineQueue<Socket>;
  readonly #byAddress = new Map<string, Set<Socket>>();
  readonly #onDropped: (reason: string) => void;

  readonly #sessions: ExpectedNewcomers;

  /** @param timeoutMs from the connection to its proof (`NP_HANDSHAKE_TIMEOUT`) */
  constructor(
    timeoutMs: number,
    onDropped: (reason: string) => void,
    sessions: ExpectedNewcomers = NOBODY,
  ) {
    this.#onDropped = onDropped;
    this.#sessions = sessions;
    this.#deadlines = new DeadlineQueue(timeoutMs, (socket) => {
      this.#drop(socket, "connection at the tunnel port said nothing useful in time");
    });
  }

  #mostOf(address: string): number {
    return Math.max(MAX_PER_ADDRESS, MAX_EXPECTED * this.#sessions.expected(address));
  }

  get #most(): number {
    const more = Math.max(0, this.#sessions.size - 1) * MORE_NEWCOMERS;
    return Math.min(MOST_NEWCOMERS, MAX_NEWCOMERS + more);
  }

  get size(): number {
    return this.#deadlines.size;
  }

  add(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    let same = this.#byAddress.get(address);
    if (same === undefined) {
      same = new Set();
      this.#byAddress.set(address, same);
    }
    if (same.size >= MAX_PER_ADDRESS && same.size >= this.#mostOf(address)) {
      this.#dropOldest(same.values());
    } else if (this.#deadlines.size >= this.#most) this.#dropOldest(this.#largest());
    same.add(socket);
    // Dropping the oldest may have emptied and removed the set.
    this.#byAddress.set(address, same);
    this.#deadlines.add(socket);
    socket.once("close", () => this.delete(socket, address));
  }

  /** It has shown what it is, or has closed. */
  delete(socket: Socket, address = socket.remoteAddress ?? ""): void {
    if (!this.#deadlines.delete(socket) && !this.#byAddress.get(address)?.has(socket)) return;
    const same = this.#byAddress.get(address);
    same?.delete(socket);
    if (same?.size === 0) this.#byAddress.delete(address);
  }

  close(): void {
    this.#deadlines.clear((socket) => socket.destroy());
    this.#byAddress.clear();
  }

  *#largest(): Generator<Socket> {
    let largest: Set<Socket> | undefined;
    for (const same of this.#byAddress.values()) {
      if (largest === undefined || same.size > largest.size) largest = same;
    }
    if (largest !== undefined) yield* largest;
  }

  #dropOldest(sockets: Iterator<Socket>): void {
    const oldest = sockets.next().value;
    if (oldest !== undefined) {
      this.#drop(oldest, "too many connections at the tunnel port: the oldest silent one closed");
    }
  }

  #drop(socket: Socket, reason: string): void {
    this.delete(socket);
    this.#onDropped(reason);
    socket.destroy();
  }
}
