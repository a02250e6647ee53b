import type { MemberRecord } from "@nodepass/fleet-protocol";
import type { MemberFacts, Presence } from "../members/presence.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { Candidate } from "./place.ts";

/** All members of a fleet as placement sees them, evicted ones left out. */
export function* listCandidates(index: FleetIndex, presence: Presence): Generator<Candidate> {
  for (const [mid, { value }] of index.members) {
    if (!value.evicted) yield candidateOf(mid, value, presence.facts(mid), index);
  }
}

function candidateOf(
  mid: string,
  { name, labels, draining }: MemberRecord,
  { status, heardAt, allow, heartbeat }: MemberFacts,
  index: FleetIndex,
): Candidate {
  const counted = heartbeat?.n.reduce((sum, count) => sum + count, 0) ?? 0;
  // A heartbeat is some seconds old: what was placed since is in the index.
  const parts = index.ownedBy(mid).length;
  const instances = Math.max(counted, parts);
  const heard = heardAt !== undefined;
  return { mid, name, labels, status, heard, allow, draining, instances, parts };
}

/**
 * How many services that belong together each value of a label has: those whose alias begins with the
 * same text up to its last `-` (or with all of it), and in the same role.
 */
export function spreadOf(
  index: FleetIndex,
  label: string,
  alias: string,
  role: string,
): { readonly label: string; readonly used: ReadonlyMap<string, number> } {
  const prefix = aliasPrefix(alias);
  const used = new Map<string, number>();
  for (const { value: record } of index.services.values()) {
    if (aliasPrefix(record.alias) !== prefix) continue;
    for (const part of record.parts) {
      const owner = part.role === role ? part.owner : null;
      const value = owner === null ? undefined : index.members.get(owner)?.value.labels[label];
      if (value !== undefined) used.set(value, (used.get(value) ?? 0) + 1);
    }
  }
  return { label, used };
}

/** `web-1` and `web-2` belong together, as do two of the name `web`. */
function aliasPrefix(alias: string): string {
  return /^(.+)-[^-]*$/.exec(alias)?.[1] ?? alias;
}
