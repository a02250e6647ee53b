import { createHash } from "node:crypto";
import { type FleetStore, StoreError } from "./fleet-store.ts";

/** How often a claim is looked at anew that changed meanwhile. */
const MAX_TRIES = 8;

/** What is claimed: each kind has names of its own. */
export type NameKind = "alias" | "master";

const keyOf = (kind: NameKind, name: string) =>
  `${kind}-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;

/**
 * Of two that have written a name into their records at one moment, through whichever hubs, one has it:
 * who gets the name's own key by CAS. Called **after** the record is in the store, so that nothing has
 * to be timed: a claim counts for as long as its owner's record has the name, and is taken over else.
 * Who claims what he has writes it again, so that who has just found him without the name looks anew.
 *
 * @param has whether another one's record in the store has the name
 * @returns who has it in place of `owner`; `undefined`: it is `owner`'s
 * @throws {StoreError} `UNAVAILABLE`, `CONFLICT` if too many want it at once
 */
export async function claimName(
  names: FleetStore["names"],
  kind: NameKind,
  name: string,
  owner: string,
  has: (other: string) => Promise<boolean>,
): Promise<string | undefined> {
  const key = keyOf(kind, name);
  for (let tries = 1; ; tries += 1) {
    // A new name is nobody's, mostly: that costs one write.
    const found = tries === 1 ? undefined : await names.get(key);
    const other = found?.value.owner;
    if (other !== undefined && other !== owner && (await has(other))) return other;
    try {
      if (found === undefined) await names.create(key, { v: 1, owner });
      else await names.update(key, { v: 1, owner }, found.revision);
      return undefined;
    } catch (error) {
      const isLost = error instanceof StoreError && error.code === "CONFLICT";
      if (!isLost || tries === MAX_TRIES) throw error;
    }
  }
}

/**
 * Forgets a claim whose owner has the name no more; of another owner it stays.
 *
 * @param has whether one's record in the store has the name: its owner may have it again
 * @throws {StoreError}
 */
export async function releaseName(
  names: FleetStore["names"],
  kind: NameKind,
  name: string,
  owner: string,
  has: (owner: string) => Promise<boolean>,
): Promise<void> {
  const key = keyOf(kind, name);
  const found = await names.get(key);
  // Who gets it again after this look writes the claim anew, so that it is not at this revision.
  if (found?.value.owner !== owner || (await has(owner))) return;
  await names.remove(key, found.revision);
}
