import type { Lease, LeaseRequest, PartRecord } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { Leadership } from "../leader/leadership.ts";
import type { Presence } from "../members/presence.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { FleetStore } from "../store/fleet-store.ts";
import { hasReleased } from "./part-steps.ts";
import { GRACE_MS } from "./silence.ts";

/** A leader whose index may be older than this answers no lease, ms. */
export const FRESH_WITHIN_MS = 5000;
/** Between two questions to the store how far it is, ms. */
const ASK_STORE_MS = 1000;

/** Who may run strict parts, for how long; section 7, rules 4 and 5. In the leader's memory only. */
export interface LeaseBook {
  /** @returns `undefined`: no answer, as this hub does not lead or may not know enough */
  answer(mid: string, request: LeaseRequest): Lease | undefined;
  /** Whether no lease of a member for a part can be alive, given by this hub or one that led before it. */
  isLapsed(mid: string, sid: string, part: number, ttlMs: number): boolean;
  /** Whether this hub has given a member a lease of a part at an epoch, and leads. */
  isLeased(mid: string, sid: string, part: number, epoch: number): boolean;
  /**
   * Whether a record need not name any more who had a part before: no leader since, even one whose index
   * lagged as much as it may, can have given that member a lease that is alive.
   */
  isForgettable(mid: string, sid: string, part: number, ttlMs: number): boolean;
  start(): void;
  close(): void;
}

/** What a lease book needs of a hub. */
export interface LeaseBookParts {
  readonly store: { readonly services: Pick<FleetStore["services"], "revision"> };
  readonly index: Pick<FleetIndex, "services" | "revision" | "onService">;
  readonly presence: Pick<Presence, "facts" | "reportOf">;
  readonly leadership: Pick<Leadership, "isLeading" | "isSure" | "leadingSince" | "onChange">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A lease given. Times monotonic, ms. */
interface Given {
  readonly epoch: number;
  /** Its TTL and a second from when it was given: the member counts from before that. */
  readonly until: number;
}

export function createLeaseBook({
  store,
  index,
  presence,
  leadership,
  clock,
  logger,
}: LeaseBookParts): LeaseBook {
  /** By part, then by member. */
  const given = new Map<string, Map<string, Given>>();
  /** Since when a record has been known here not to name this member as owner any more. */
  const takenFrom = new Map<string, { readonly mid: string; readonly since: number }>();
  const stops: (() => void)[] = [];
  let stopTimer: (() => void) | undefined;
  /** The index was known to hold all that the store had at this moment. */
  let freshAt = Number.NEGATIVE_INFINITY;
  let target: { readonly revision: number; readonly askedAt: number } | undefined;

  const hasLedFor = (ms: number) => {
    const since = leadership.leadingSince();
    return leadership.isSure() && since !== undefined && clock.monotonic() - since > ms;
  };

  const isAlive = (mid: string, sid: string, part: number) => {
    const lease = given.get(keyOf(sid, part))?.get(mid);
    if (lease === undefined || clock.monotonic() > lease.until) return false;
    const said = presence.reportOf(mid, sid, part);
    return !(said?.outcome === "released" && said.epoch >= lease.epoch);
  };

  const isLapsed = (mid: string, sid: string, part: number, ttlMs: number) =>
    hasLedFor(ttlMs + GRACE_MS) && !isAlive(mid, sid, part);

  const mayName = (mid: string, sid: string, at: number, part: PartRecord, ttlMs: number) => {
    if (part.owner !== mid) return false;
    for (const other of given.get(keyOf(sid, at))?.keys() ?? []) {
      if (other !== mid && isAlive(other, sid, at)) return false;
    }
    const { from } = part;
    if (from === null || from === mid) return true;
    if (hasReleased(presence.reportOf(from, sid, at), part)) return true;
    // While the disk is full nothing is settled: whom it was given to at this epoch keeps it.
    const isRenewal = given.get(keyOf(sid, at))?.get(mid)?.epoch === part.epoch;
    if (isRenewal && isAlive(mid, sid, at)) return true;
    // The one before may have a lease of a leader before this one.
    return isLapsed(from, sid, at, ttlMs);
  };

  const remember = (mid: string, sid: string, part: number, epoch: number, ttlMs: number) => {
    const key = keyOf(sid, part);
    const ofPart = given.get(key) ?? new Map<string, Given>();
    given.set(key, ofPart.set(mid, { epoch, until: clock.monotonic() + ttlMs + GRACE_MS }));
  };

  const noteTaken = (sid: string, parts: readonly PartRecord[]) => {
    for (const [at, { owner, from }] of parts.entries()) {
      const key = keyOf(sid, at);
      if (from === null || owner === from) takenFrom.delete(key);
      else if (takenFrom.get(key)?.mid !== from) {
        takenFrom.set(key, { mid: from, since: clock.monotonic() });
      }
    }
  };

  const checkTarget = () => {
    if (target === undefined || index.revision < target.revision) return;
    freshAt = Math.max(freshAt, target.askedAt);
    target = undefined;
  };

  const askStore = async () => {
    if (!leadership.isLeading()) return;
    checkTarget();
    const askedAt = clock.monotonic();
    try {
      const revision = await store.services.revision();
      // An earlier target that the index has not reached yet would be reached first.
      target ??= { revision, askedAt };
      checkTarget();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn({ reason }, "the store did not say how far it is");
    }
  };

  const tick = () => {
    void askStore();
    const now = clock.monotonic();
    for (const [key, ofPart] of given) {
      for (const [mid, { until }] of ofPart) if (now > until) ofPart.delete(mid);
      if (ofPart.size === 0) given.delete(key);
    }
    stopTimer = clock.after(ASK_STORE_MS, tick);
  };

  return {
    isLapsed,
    isLeased: (mid, sid, part, epoch) =>
      leadership.isLeading() && given.get(keyOf(sid, part))?.get(mid)?.epoch === epoch,
    isForgettable: (mid, sid, part, ttlMs) => {
      const taken = takenFrom.get(keyOf(sid, part));
      const needed = ttlMs + GRACE_MS + FRESH_WITHIN_MS;
      return (
        taken?.mid === mid &&
        clock.monotonic() - taken.since > needed &&
        isLapsed(mid, sid, part, ttlMs)
      );
    },
    answer: (mid, { session, parts }) => {
      if (!leadership.isLeading()) return undefined;
      checkTarget();
      if (clock.monotonic() - freshAt > FRESH_WITHIN_MS) {
        void askStore();
        return undefined;
      }
      const seat = presence.facts(mid).session;
      // Another process with the same identity has the seat: this one is to leave.
      if (seat !== undefined && seat !== session) return { parts: [] };
      const named: Lease["parts"] = [];
      for (const { sid, part: at, epoch } of parts) {
        const record = index.services.get(sid)?.value;
        const part = record?.parts[at];
        if (record === undefined || part === undefined || record.detached) continue;
        const ttlMs = record.policy.ttl * 1000;
        if (record.policy.failover !== "strict" || part.epoch !== epoch) continue;
        if (!mayName(mid, sid, at, part, ttlMs)) continue;
        remember(mid, sid, at, epoch, ttlMs);
        named.push({ sid, part: at, epoch, ttlMs });
      }
      return { parts: named };
    },
    start: () => {
      for (const [sid, { value }] of index.services) noteTaken(sid, value.parts);
      stops.push(
        index.onService((sid, now, before) => {
          noteTaken(sid, now?.value.parts ?? []);
          if (now === undefined) {
            for (const at of before?.value.parts.keys() ?? []) takenFrom.delete(keyOf(sid, at));
          }
          checkTarget();
        }),
        leadership.onChange((leads) => {
          freshAt = Number.NEGATIVE_INFINITY;
          target = undefined;
          if (leads) void askStore();
        }),
      );
      tick();
    },
    close: () => {
      stopTimer?.();
      for (const stop of stops.splice(0)) stop();
      given.clear();
      takenFrom.clear();
    },
  };
}

function keyOf(sid: string, part: number): string {
  return `${sid}/${part}`;
}
