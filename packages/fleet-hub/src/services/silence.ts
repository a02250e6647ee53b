import type { Presence } from "../members/presence.ts";
import type { ServiceParts } from "./service-operations.ts";

/** Added to every time to live, ms: for what clocks and threads are late. */
export const GRACE_MS = 1000;

/** How long members have said nothing, as far as this hub can know. */
export interface Silence {
  /** Whether nothing at all was heard of a member for its TTL and a second: for moves that wait. */
  isSilent(mid: string, ttlMs: number): boolean;
  /**
   * The same for failover: only sealed words count, and no time in which this hub did not lead, as it
   * may have missed some; nobody is while another hub may lead. Section 7; section 6, "Failover".
   */
  isLost(mid: string, ttlMs: number): boolean;
}

export function createSilence(
  { clock, leadership }: Pick<ServiceParts, "clock" | "leadership">,
  presence: Pick<Presence, "facts">,
): Silence {
  const startedAt = clock.monotonic();
  return {
    isSilent: (mid, ttlMs) => {
      const heardAt = presence.facts(mid).heardAt ?? startedAt;
      return clock.monotonic() - heardAt > ttlMs + GRACE_MS;
    },
    isLost: (mid, ttlMs) => {
      const since = leadership.leadingSince();
      if (since === undefined || !leadership.isSure()) return false;
      const sealedAt = Math.max(presence.facts(mid).sealedAt ?? startedAt, since);
      return clock.monotonic() - sealedAt > ttlMs + GRACE_MS;
    },
  };
}
