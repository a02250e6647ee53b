import type { MemberRecord } from "@nodepass/fleet-protocol";
import type { Logger } from "@nodepass/model";
import { MEMBER_PERMISSIONS, type MemberPermission } from "@nodepass/model/fleet";
import type { FleetStore, Stored } from "../store/fleet-store.ts";
import type { LiveIndex } from "../store/memory-index.ts";
import type { Presence } from "./presence.ts";

/** What a member accepts, as its record says: all, unless it ever said otherwise. */
export function allowOf({ allow }: Pick<MemberRecord, "allow">): readonly MemberPermission[] {
  return allow ?? MEMBER_PERMISSIONS;
}

/**
 * Writes into its record what a member says of itself that it accepts, so that hubs which begin later know
 * before it syncs with them.
 *
 * @returns ends it
 */
export function keepAllow(options: {
  readonly index: Pick<LiveIndex, "members" | "wroteMember">;
  readonly presence: Pick<Presence, "facts" | "onSync">;
  readonly store: Pick<FleetStore, "members">;
  readonly logger: Logger;
}): () => void {
  const { index, presence, store, logger } = options;
  /** Members whose records are being written: one that says something else all the time writes no more. */
  const busy = new Set<string>();
  const keep = async (mid: string, { value, revision }: Stored<MemberRecord>) => {
    const allow = [...presence.facts(mid).allow];
    const record = { ...value, allow };
    index.wroteMember(mid, {
      value: record,
      revision: await store.members.update(mid, record, revision),
    });
  };
  return presence.onSync((mid) => {
    const found = index.members.get(mid);
    if (found === undefined || found.value.evicted || busy.has(mid)) return;
    if (allowOf(found.value).join() === presence.facts(mid).allow.join()) return;
    busy.add(mid);
    keep(mid, found)
      // Its next sync says it again.
      .catch((error: unknown) => {
        logger.debug({ mid, error: String(error) }, "what a member accepts is not kept yet");
      })
      .finally(() => busy.delete(mid));
  });
}
