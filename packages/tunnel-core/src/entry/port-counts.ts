import type { CarriedBytes } from "../relay/connection-events.ts";
import type { Traffic } from "../tunnel-reports.ts";

/** What one port of a range has carried. */
export interface PortCounters extends Traffic {
  readonly port: number;
}

/** Where a user came to, of a range: its place and what it has carried. Kept when connections end. */
export class PortCounts {
  readonly port: number;
  /** 0 for the first of the range. */
  readonly place: number;
  readonly #open = { tcp: new Set<CarriedBytes>(), udp: new Set<CarriedBytes>() };
  readonly #past = { tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 };

  constructor(port: number, place: number) {
    this.port = port;
    this.place = place;
  }

  began(kind: "tcp" | "udp", carried: CarriedBytes): void {
    this.#open[kind].add(carried);
  }

  ended(kind: "tcp" | "udp", carried: CarriedBytes): void {
    this.#open[kind].delete(carried);
    this.#past[`${kind}rx`] += carried.receivedBytes;
    this.#past[`${kind}tx`] += carried.sentBytes;
  }

  read(): PortCounters {
    const { tcp, udp } = this.#open;
    const sums = { ...this.#past };
    for (const kind of ["tcp", "udp"] as const) {
      for (const { receivedBytes, sentBytes } of this.#open[kind]) {
        sums[`${kind}rx`] += receivedBytes;
        sums[`${kind}tx`] += sentBytes;
      }
    }
    return { port: this.port, tcps: tcp.size, udps: udp.size, ...sums };
  }
}

/** The counts of each port of a bound range; none for one port, of which all that is counted is. */
export function portCountsOf(ports: readonly { readonly port: number }[]): PortCounts[] {
  return ports.length < 2 ? [] : ports.map(({ port }, place) => new PortCounts(port, place));
}
