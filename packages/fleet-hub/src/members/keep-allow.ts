import type { MemberRecord } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import { MEMBER_PERMISSIONS, type MemberPermission } from "@nodepass/model/fleet";
import type { FleetStore, Stored } from "../store/fleet-store.ts";
import type { LiveIndex } from "../store/memory-index.ts";
import type { Presence } from "./presence.ts";

/** A hub writes a member's record so often at most, ms: each write is one to the engine's disk, and a revision. */
const REST_MS = 10_000;

/** What a member accepts, as its record says: all, unless it ever said otherwise. */
export function allowOf({ allow }: Pick<MemberRecord, "allow">): readonly MemberPermission[] {
  return allow ?? MEMBER_PERMISSIONS;
}

/**
 * Writes into its record what a member says of itself that it accepts, so that hubs which begin later know
 * before it syncs with them. One that says something else all the time has the last of it written, now and then.
 *
 * @returns ends it
 */
export function keepAllow(options: {
  readonly index: Pick<LiveIndex, "members" | "wroteMember">;
  readonly presence: Pick<Presence, "facts" | "onSync">;
  readonly store: Pick<FleetStore, "members">;
  readonly clock: Clock;
  readonly logger: Logger;
}): () => void {
  const { index, presence, store, clock, logger } = options;
  /** Members whose records are not to be written now, of which one may have synced since. */
  const resting = new Map<string, { hasSynced: boolean; readonly end: () => void }>();
  const keep = async (mid: string, { value, revision }: Stored<MemberRecord>) => {
    const allow = [...presence.facts(mid).allow];
    const record = { ...value, allow };
    index.wroteMember(mid, {
      value: record,
      revision: await store.members.update(mid, record, revision),
    });
  };
  const consider = (mid: string) => {
    const found = index.members.get(mid);
    if (found === undefined || found.value.evicted) return;
    if (allowOf(found.value).join() === presence.facts(mid).allow.join()) return;
    const end = clock.after(REST_MS, () => {
      const hasSynced = resting.get(mid)?.hasSynced === true;
      resting.delete(mid);
      // What it said last; not what it said before, which another hub may know better.
      if (hasSynced) consider(mid);
    });
    resting.set(mid, { hasSynced: false, end });
    // Its next sync says it again.
    keep(mid, found).catch((error: unknown) => {
      logger.debug({ mid, error: String(error) }, "what a member accepts is not kept yet");
    });
  };
  const unlisten = presence.onSync((mid) => {
    const rest = resting.get(mid);
    if (rest === undefined) consider(mid);
    else rest.hasSynced = true;
  });
  return () => {
    unlisten();
    for (const { end } of resting.values()) end();
    resting.clear();
  };
}
