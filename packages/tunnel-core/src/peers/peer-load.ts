import type { CarriedBytes } from "../relay/connection-events.ts";

/** What a user's connection has carried so far, or a UDP session. */
type Carried = CarriedBytes;

/**
 * What one of several peers carries, and has carried since it has its place: nothing is added up per
 * byte, what is open is asked when somebody wants to know.
 */
export class PeerLoad {
  readonly #tcp = new Set<Carried>();
  readonly #udp = new Set<Carried>();
  #users = 0;
  #tcpReceived = 0;
  #tcpSent = 0;
  #udpReceived = 0;
  #udpSent = 0;

  /** Open TCP connections and UDP sessions. */
  get size(): number {
    return this.#tcp.size + this.#udp.size;
  }

  began(kind: "tcp" | "udp", carried: Carried): void {
    this.#users++;
    (kind === "tcp" ? this.#tcp : this.#udp).add(carried);
  }

  ended(kind: "tcp" | "udp", carried: Carried): void {
    const { receivedBytes, sentBytes } = carried;
    if (kind === "tcp" && this.#tcp.delete(carried)) {
      this.#tcpReceived += receivedBytes;
      this.#tcpSent += sentBytes;
    } else if (kind === "udp" && this.#udp.delete(carried)) {
      this.#udpReceived += receivedBytes;
      this.#udpSent += sentBytes;
    }
  }

  /** Names and units as in `TunnelCounters`. */
  counters() {
    let { tcprx, tcptx } = { tcprx: this.#tcpReceived, tcptx: this.#tcpSent };
    for (const { receivedBytes, sentBytes } of this.#tcp) {
      tcprx += receivedBytes;
      tcptx += sentBytes;
    }
    let { udprx, udptx } = { udprx: this.#udpReceived, udptx: this.#udpSent };
    for (const { receivedBytes, sentBytes } of this.#udp) {
      udprx += receivedBytes;
      udptx += sentBytes;
    }
    const { size: tcps } = this.#tcp;
    const { size: udps } = this.#udp;
    return { users: this.#users, tcps, udps, tcprx, tcptx, udprx, udptx };
  }
}
