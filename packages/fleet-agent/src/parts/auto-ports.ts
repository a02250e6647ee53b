import { fillAutoPorts } from "@nodepass/fleet-protocol";

/** Below those that systems give to connections which go out: nobody takes one between prepare and start. */
const AUTO_PORTS = { first: 10_000, last: 29_999 } as const;
/** How long a port that was given to nobody's instance yet is given to no other, ms. */
const HELD_MS = 60_000;

/** Chooses ports where a URL says `auto`. */
export class AutoPorts {
  readonly #given = new Map<number, number>();

  /**
   * @param url `server://0.0.0.0:auto/127.0.0.1:80`
   * @returns with a port in each `auto`'s place, each one another; and which
   */
  fill(url: string): { readonly url: string; readonly ports: readonly number[] } {
    const ports: number[] = [];
    const filled = fillAutoPorts(url, () => {
      const port = this.#choose(ports);
      ports.push(port);
      return port;
    });
    return { url: filled, ports };
  }

  /** They are for somebody, who is to have them soon. */
  hold(ports: readonly number[]): void {
    const now = performance.now();
    for (const [port, since] of this.#given) {
      if (now - since > HELD_MS) this.#given.delete(port);
    }
    for (const port of ports) this.#given.set(port, now);
  }

  #choose(taken: readonly number[]): number {
    const { first, last } = AUTO_PORTS;
    for (;;) {
      const port = first + Math.floor(Math.random() * (last - first + 1));
      const since = this.#given.get(port);
      const isHeld = since !== undefined && performance.now() - since <= HELD_MS;
      if (!isHeld && !taken.includes(port)) return port;
    }
  }
}
