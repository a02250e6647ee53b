import { type ClaimedAddress, overlaps } from "./bound-addresses.ts";

/** An address that somebody else holds. */
export interface AddressConflict {
  readonly address: ClaimedAddress;
  readonly holder: string;
}

/** Who binds which address, found by port: a look-up does not depend on the number of instances. */
export class AddressBook {
  readonly #byPort = new Map<number, Map<string, ClaimedAddress[]>>();
  readonly #byHolder = new Map<string, readonly ClaimedAddress[]>();

  /** Replaces what `holder` had. Overlaps are the caller's business. */
  claim(holder: string, addresses: readonly ClaimedAddress[]): void {
    this.release(holder);
    if (addresses.length === 0) return;
    this.#byHolder.set(holder, addresses);
    for (const address of addresses) {
      const holders = this.#byPort.get(address.port) ?? new Map<string, ClaimedAddress[]>();
      this.#byPort.set(address.port, holders);
      const claimed = holders.get(holder);
      if (claimed === undefined) holders.set(holder, [address]);
      else claimed.push(address);
    }
  }

  release(holder: string): void {
    for (const { port } of this.#byHolder.get(holder) ?? []) {
      const holders = this.#byPort.get(port);
      holders?.delete(holder);
      if (holders?.size === 0) this.#byPort.delete(port);
    }
    this.#byHolder.delete(holder);
  }

  /** The first of `addresses` that somebody other than `holder` holds. */
  conflict(holder: string, addresses: readonly ClaimedAddress[]): AddressConflict | undefined {
    for (const address of addresses) {
      for (const [other, claimed] of this.#byPort.get(address.port) ?? []) {
        if (other !== holder && claimed.some((held) => overlaps(held, address))) {
          return { address, holder: other };
        }
      }
    }
    return undefined;
  }
}
