/** Most bytes of a tunnel's datagrams that wait for a pool connection or a target, all sessions. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** What Node keeps for a datagram beside its bytes, about. */
const OVERHEAD_BYTES = 256;

/** A bound that all sessions of a tunnel share for datagrams that are kept. */
export class WaitingDatagrams {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = MAX_WAITING_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** @returns whether there is room; `leave` gives it back */
  enter(length: number): boolean {
    const bytes = length + OVERHEAD_BYTES;
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  leave(length: number): void {
    this.#bytes -= length + OVERHEAD_BYTES;
  }

  /** Bytes in use, the overhead of each datagram counted. */
  get bytes(): number {
    return this.#bytes;
  }
}
