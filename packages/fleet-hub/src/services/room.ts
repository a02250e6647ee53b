import type { ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { FleetIndex } from "../store/fleet-index.ts";

/** Services of a fleet at most, and parts of them at one member; section 9 of the fleet's design. */
export const MAX_SERVICES = 100_000;
export const MAX_MEMBER_PARTS = 500;

/**
 * Whether there is room for services that are to be made, all of them.
 *
 * @throws {ServiceError} `LIMIT_REACHED` naming the limit and the master
 */
export function demandRoom(
  { services, members, ownedBy }: Pick<FleetIndex, "services" | "members" | "ownedBy">,
  records: readonly Pick<ServiceRecord, "parts">[],
): void {
  if (services.size + records.length > MAX_SERVICES) {
    const more = records.length === 1 ? "one more" : `${records.length} more`;
    const text = `the fleet has ${services.size} services, and no room for ${more} (at most ${MAX_SERVICES})`;
    throw new ServiceError("LIMIT_REACHED", text);
  }
  const counts = new Map<string, number>();
  for (const { parts } of records) {
    for (const { owner, from } of parts) {
      const mid = owner ?? from;
      if (mid !== null) counts.set(mid, (counts.get(mid) ?? 0) + 1);
    }
  }
  for (const [mid, more] of counts) {
    const held = ownedBy(mid).length;
    if (held + more <= MAX_MEMBER_PARTS) continue;
    const name = members.get(mid)?.value.name ?? mid;
    const text = `master ${name} has ${held} parts of services, and no room for ${more} more (at most ${MAX_MEMBER_PARTS})`;
    throw new ServiceError("LIMIT_REACHED", text);
  }
}
