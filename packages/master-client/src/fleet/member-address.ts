import type { MasterAddress } from "../master-address.ts";

/**
 * Where a hub passes requests on to a master of its fleet; a `MasterClient` of this address asks that
 * master, with the fleet's token.
 *
 * @example
 * const client = createMasterClient({ address: memberAddress(hub, mid), key: token });
 */
export function memberAddress({ origin, basePaths }: MasterAddress, mid: string): MasterAddress {
  // The last has no version: that is the master's own matter.
  const path = `${basePaths.at(-1) ?? ""}/masters/${encodeURIComponent(mid)}/api`;
  return { origin, basePaths: [`${path}/v1`, path] };
}
