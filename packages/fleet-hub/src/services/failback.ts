import { ServiceError } from "@nodepass/model";
import { HUB_ITSELF } from "../access/auditor.ts";
import { lookEvery } from "./look-every.ts";
import type { ServiceMover } from "./move-service.ts";
import { isUnsettled } from "./part-steps.ts";
import type { ServiceParts } from "./service-operations.ts";

/** How long an old owner must have been well without a break, ms. */
export const HEALTHY_FOR_MS = 600_000;
const LOOK_MS = 5000;

/** Brings parts back to who had them before a failover; only while this hub leads. */
export interface Failback {
  start(): void;
  close(): void;
}

export function createFailback(
  { index, presence, leadership, audit, clock, logger }: ServiceParts,
  mover: ServiceMover,
): Failback {
  /** Since when each old owner has been seen well, monotonic, ms. */
  const wellSince = new Map<string, number>();

  const isWell = (mid: string) => {
    const { status, duplicate } = presence.facts(mid);
    return status === "online" && !duplicate && index.members.get(mid)?.value.evicted === false;
  };

  /** Parts with an old owner that wants them back. */
  const listHomes = () => {
    const homes: { sid: string; part: number; home: string; owner: string; revision: number }[] =
      [];
    for (const [sid, { value, revision }] of index.services) {
      if (value.policy.failback !== "healthy" || value.parts.some(isUnsettled)) continue;
      for (const [part, { home, owner }] of value.parts.entries()) {
        if (home !== null && owner !== null && home !== owner)
          homes.push({ sid, part, home, owner, revision });
      }
    }
    return homes;
  };

  const look = async () => {
    if (!leadership.isLeading()) {
      wellSince.clear();
      return;
    }
    const homes = listHomes();
    const now = clock.monotonic();
    const wanted = new Set(homes.map(({ home }) => home));
    for (const mid of wellSince.keys()) {
      if (!wanted.has(mid) || !isWell(mid)) wellSince.delete(mid);
    }
    for (const mid of wanted) {
      if (isWell(mid) && !wellSince.has(mid)) wellSince.set(mid, now);
    }
    for (const { sid, part, home, owner, revision } of homes) {
      const since = wellSince.get(home);
      if (since === undefined || now - since < HEALTHY_FOR_MS || !leadership.isLeading()) continue;
      const nameOf = (mid: string) => index.members.get(mid)?.value.name ?? mid;
      const detail = `from ${nameOf(owner)} back to ${nameOf(home)}, which has been well for ${HEALTHY_FOR_MS / 60_000} min`;
      try {
        await audit.changing(
          HUB_ITSELF,
          { action: "service.failback", object: sid, before: revision, detail },
          () =>
            mover.movePart(sid, part, {
              by: HUB_ITSELF.token,
              visible: [],
              to: home,
              force: false,
            }),
          (stored) => stored.revision,
        );
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        // As long again, so that a master which can't take it is not asked all the time.
        wellSince.set(home, clock.monotonic());
        logger.warn({ sid, home, reason: error.message }, "a part could not go back");
      }
    }
  };

  const looks = lookEvery({ what: "failback", everyMs: LOOK_MS, look, clock, logger });

  return {
    start: looks.start,
    close: () => {
      looks.stop();
      wellSince.clear();
    },
  };
}
