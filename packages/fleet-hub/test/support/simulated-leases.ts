import type { Lease, LeaseRequest } from "@nodepass/fleet-protocol";

/** The leases that a simulated member has been given, and of which hub. Section 7, rules 4, 5 and 8. */
export class SimulatedLeases {
  /** What the last answer named. */
  named: Lease["parts"] = [];
  /** Until when a strict part may serve, by `performance.now()`, and at which epoch. */
  readonly #granted = new Map<string, { readonly epoch: number; readonly until: number }>();
  #leader: string | undefined;

  /** Asks for parts to be named: once more where the hub that answers was not known. */
  async renew(
    parts: LeaseRequest["parts"],
    ask: (hub: string | undefined, parts: LeaseRequest["parts"]) => Promise<Lease>,
  ): Promise<void> {
    let sentAt = performance.now();
    let lease = await ask(this.#leader, parts);
    if (lease.hub !== this.#leader) {
      this.#leader = lease.hub;
      sentAt = performance.now();
      lease = await ask(this.#leader, parts);
    }
    this.named = lease.parts;
    for (const { sid, part, epoch, ttlMs } of lease.parts) {
      this.#granted.set(`${sid}/${part}`, { epoch, until: sentAt + ttlMs });
    }
  }

  /** Whether a part may serve now at this epoch. */
  allow(key: string, epoch: number): boolean {
    const lease = this.#granted.get(key);
    return lease?.epoch === epoch && performance.now() < lease.until;
  }
}
