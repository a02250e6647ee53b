import { ServiceError } from "@nodepass/model";
import type { ServiceMover } from "./move-service.ts";
import { inTurns } from "./remove-service.ts";
import type { ServiceOperations, ServiceParts } from "./service-operations.ts";

/** Services of one member that are moved at the same time. */
const AT_ONCE = 4;

/**
 * Moves what a member has to others that fit; nothing new is placed on it from before that. What stays
 * is named with its reason.
 */
export function createDrainer(
  { index, store, logger }: ServiceParts,
  mover: ServiceMover,
): ServiceOperations["drain"] {
  const markDraining = async (mid: string) => {
    const stored = await store.members.get(mid);
    if (stored === undefined || stored.value.evicted) {
      throw new ServiceError("NOT_FOUND", `no master ${JSON.stringify(mid.slice(0, 80))}`);
    }
    if (stored.value.draining) return;
    await store.members.update(mid, { ...stored.value, draining: true }, stored.revision);
  };

  return async ({ token: by, selector: visible }, mid) => {
    await markDraining(mid);
    const moved = new Set<string>();
    const left = new Map<string, string>();
    // Both halves of a pair may be here: one after the other, as they are in one record.
    const sids = new Set(index.ownedBy(mid).map(({ sid }) => sid));
    await inTurns([...sids], AT_ONCE, async (sid) => {
      for (const part of [0, 1]) {
        if (index.services.get(sid)?.value.parts[part]?.owner !== mid) continue;
        try {
          await mover.movePart(sid, part, { by, visible, force: false });
          moved.add(sid);
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          left.set(sid, error.message);
        }
      }
    });
    logger.info({ mid, moved: moved.size, left: left.size }, "a master was drained");
    return {
      moved: [...moved].filter((sid) => !left.has(sid)),
      left: [...left].map(([sid, reason]) => ({ sid, reason })),
    };
  };
}
