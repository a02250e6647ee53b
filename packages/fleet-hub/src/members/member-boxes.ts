import type { MemberRecord } from "@nodepass/fleet-protocol";
import { type Box, type FleetBoxKeys, openBox } from "@nodepass/fleet-protocol";
import type { FleetIndex } from "../store/fleet-index.ts";

/** The boxes between the fleet's key and each member's; one of each for as long as the hub lives. */
export interface MemberBoxes {
  /** `undefined` for who is no member. An evicted one keeps its box, so that it can be told. */
  of(mid: string): Box | undefined;
}

/** @param fleet its keys */
export function createMemberBoxes(
  { allBoxKeys, oldestBoxKey: oldest }: FleetBoxKeys,
  index: Pick<FleetIndex, "members">,
): MemberBoxes {
  const newer = allBoxKeys.filter((key) => key !== oldest);
  const boxes = new Map<string, { readonly key: MemberRecord["box"]; readonly box: Box }>();
  return {
    of: (mid) => {
      const record = index.members.get(mid)?.value;
      const known = boxes.get(mid);
      if (record === undefined) {
        boxes.delete(mid);
        return undefined;
      }
      if (known !== undefined && Buffer.compare(known.key, record.box) === 0) return known.box;
      try {
        const peerPublicKey = record.box;
        const others = newer.map((own) => ({ own, peerPublicKey }));
        // What is said before the member has been heard, it can read in any case.
        const box = openBox({ own: oldest, peerPublicKey, side: "hub", others });
        boxes.set(mid, { key: record.box, box });
        return box;
      } catch {
        // Its public key can't be used: joining checks that, so the record was not written by a join.
        return undefined;
      }
    },
  };
}
