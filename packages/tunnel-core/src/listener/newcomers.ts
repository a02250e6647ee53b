import type { Socket } from "node:net";
import { DeadlineQueue } from "../deadline-queue.ts";

/** Most connections at the tunnel port that have not shown yet what they are. */
const MAX_NEWCOMERS = 1024;
/** Of those, most from one address. */
const MAX_PER_ADDRESS = 256;
/** The same from the present client's address. */
const MAX_EXPECTED = 512;

/**
 * Connections at the tunnel port that have not proved themselves: each has a deadline, and when
 * there are too many the one that has been silent longest goes, of the same address first. So a
 * stranger can't take all places, and who speaks at once is never refused.
 */
export class Newcomers {
  readonly #deadlines: DeadlineQueue<Socket>;
  readonly #byAddress = new Map<string, Set<Socket>>();
  readonly #onDropped: (reason: string, address: string, late: boolean) => void;

  readonly #expectsMany: (address: string) => boolean;

  /**
   * @param timeoutMs from the connection to its proof (`NP_HANDSHAKE_TIMEOUT`)
   * @param onDropped `late`: its time was over, not the room
   * @param expectsMany whether an address may have more than others: over a long road, the client
   *   has as many handshakes in the making as users wait
   */
  constructor(
    timeoutMs: number,
    onDropped: (reason: string, address: string, late: boolean) => void,
    expectsMany: (address: string) => boolean = () => false,
  ) {
    this.#onDropped = onDropped;
    this.#expectsMany = expectsMany;
    this.#deadlines = new DeadlineQueue(timeoutMs, (socket) => {
      this.#drop(socket, "connection at the tunnel port said nothing useful in time", true);
    });
  }

  #most(address: string): number {
    return this.#expectsMany(address) ? MAX_EXPECTED : MAX_PER_ADDRESS;
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
    if (same.size >= MAX_PER_ADDRESS && same.size >= this.#most(address)) {
      this.#dropOldest(same.values());
    } else if (this.#deadlines.size >= MAX_NEWCOMERS) this.#dropOldest(this.#largest());
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

  #drop(socket: Socket, reason: string, late = false): void {
    const { remoteAddress = "" } = socket;
    this.delete(socket);
    this.#onDropped(reason, remoteAddress, late);
    socket.destroy();
  }
}
