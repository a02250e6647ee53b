import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { FAILOVER_TTL } from "@nodepass/model/fleet";
import { HUB_ITSELF } from "../access/auditor.ts";
import type { PartPlace } from "../store/fleet-index.ts";
import type { Stored } from "../store/fleet-store.ts";
import { createFailoverBudget } from "./failover-budget.ts";
import type { Failures } from "./failures.ts";
import { handOver, losesClient, noAddress } from "./hand-over.ts";
import type { LeaseBook } from "./lease-book.ts";
import { lookEvery } from "./look-every.ts";
import { hasReleased } from "./part-steps.ts";
import type { Placer } from "./placer.ts";
import { inTurns } from "./remove-service.ts";
import type { ServiceParts } from "./service-operations.ts";
import { changedMeanwhile, type ServiceWriter, withPart } from "./service-writer.ts";
import type { Silence } from "./silence.ts";

/** Between two looks at who is lost, ms. */
const LOOK_MS = 250;
/** Parts that are failed over at the same time. */
const AT_ONCE = 16;
/** A part for which nobody was found is tried again after this, ms. */
const TRY_AGAIN_MS = 5000;

/** Gives parts of lost owners to others; only while this hub surely leads. Section 6, "Failover". */
export interface Failover {
  /** A person has looked: who is lost now may be failed over. */
  resume(): void;
  start(): void;
  close(): void;
}

export function createFailover(
  parts: ServiceParts,
  writer: ServiceWriter,
  placer: Placer,
  leases: Pick<LeaseBook, "isForgettable">,
  silence: Silence,
  failures: Failures,
): Failover {
  const { index, presence, leadership, news, clock, logger } = parts;
  const budget = createFailoverBudget();
  /** Owners that said they could not run something that they took over. */
  const failing = new Set<string>();
  /** When a part may be tried again. */
  const pauses = new Map<string, number>();
  /** Owners at which a part could not be started, since it has been lost. */
  const failedAt = new Map<string, Set<string>>();
  /** Services that are failed over at all: without any there is nothing to look for. */
  const wanted = new Set<string>();
  const stops: (() => void)[] = [];

  const countMembers = () => {
    let count = 0;
    for (const { value } of index.members.values()) if (!value.evicted) count += 1;
    return count;
  };

  /**
   * Whether who took a part over said that it can't run it: the next one is asked. A move goes back by
   * itself to who had it.
   */
  const couldNot = ({ sid, part: at }: PartPlace, part: PartRecord) => {
    const { owner, from, to } = part;
    if (owner === null || from === null || from === owner || to !== null) return false;
    return failures.hasFailed(owner, sid, at, part);
  };

  const partAt = ({ sid, part }: PartPlace) => index.services.get(sid)?.value.parts[part];

  /** Whether a member has something that it took over and says to be in error, for long or not yet. */
  const mayFail = (mid: string) =>
    index.ownedBy(mid).some((place) => {
      const part = partAt(place);
      const said = presence.reportOf(mid, place.sid, place.part);
      return part?.owner === mid && part.from !== null && said?.outcome === "failed";
    });

  /** Whether somebody else may have a part now. */
  const isOrphan = ({ sid, part: at }: PartPlace, record: ServiceRecord, part: PartRecord) => {
    const { failover, ttl } = record.policy;
    const { owner, from } = part;
    if (failover === "off" || record.detached || !part.running || owner === null) return false;
    if (!couldNot({ sid, part: at }, part) && !silence.isLost(owner, ttl * 1000)) return false;
    if (failover !== "strict" || from === null) return true;
    // It has not heard yet that it has to stop by itself, so it may go on: nobody can know.
    if (from === owner) return false;
    // The record may forget who had it before only when that one is surely over.
    return (
      hasReleased(presence.reportOf(from, sid, at), part) ||
      leases.isForgettable(from, sid, at, ttl * 1000)
    );
  };

  const orphansOf = (mid: string): PartPlace[] =>
    index.ownedBy(mid).filter((place) => {
      const record = index.services.get(place.sid)?.value;
      const part = record?.parts[place.part];
      return record !== undefined && part?.owner === mid && isOrphan(place, record, part);
    });

  const isPaused = (place: PartPlace) => {
    const until = pauses.get(keyOf(place));
    if (until === undefined) return false;
    if (until > clock.monotonic()) return true;
    pauses.delete(keyOf(place));
    return false;
  };

  /** Members that have been silent for the shortest TTL there is, or could not start something. */
  const suspects = () => {
    const found = new Set(failing);
    for (const mid of index.members.keys()) {
      if (silence.isLost(mid, FAILOVER_TTL.min * 1000)) found.add(mid);
    }
    return found;
  };

  const listOrphans = () => {
    const orphans = new Map<string, readonly PartPlace[]>();
    for (const mid of suspects()) {
      const places = orphansOf(mid);
      if (places.length > 0) orphans.set(mid, places);
      if (failing.has(mid) && !mayFail(mid)) failing.delete(mid);
    }
    return orphans;
  };

  const look = async () => {
    if (wanted.size === 0 || !leadership.isSure() || news.isRaised("mass-loss")) return;
    const orphans = listOrphans();
    // Both halves of a pair are in one record: one after the other.
    const due = new Map<string, PartPlace[]>();
    for (const [mid, places] of orphans) {
      const counts = !failing.has(mid);
      if (counts && !budget.take(mid, clock.monotonic(), countMembers())) {
        hold();
        break;
      }
      for (const place of places) {
        if (!isPaused(place)) due.set(place.sid, [...(due.get(place.sid) ?? []), place]);
      }
    }
    await inTurns([...due.values()], AT_ONCE, async (places) => {
      for (const place of places) await tryPart(place);
    });
  };

  const hold = () => {
    const count = countMembers();
    const message = `more of ${count} masters are lost than may be failed over within a minute; failover waits until a person resumes it`;
    news.alarm("mass-loss", true, message);
    logger.error({ members: count }, "too many masters are lost, failover is held");
  };

  const tryPart = async (place: PartPlace) => {
    const key = keyOf(place);
    const revision = index.services.get(place.sid)?.revision;
    pauses.set(key, clock.monotonic() + TRY_AGAIN_MS);
    try {
      await takeOver(place);
      pauses.delete(key);
    } catch (error) {
      // What was changed meanwhile is looked at again at once.
      if (index.services.get(place.sid)?.revision !== revision) pauses.delete(key);
      const reason = error instanceof Error ? error.message : String(error);
      logger.debug({ ...place, reason }, "a part could not be failed over, tried again");
      if (!(error instanceof ServiceError)) throw error;
      if (pauses.has(key)) tellStuck(place, reason);
    }
  };

  /** Readers hear why nobody takes a part over, at every hub. */
  const tellStuck = ({ sid, part: at }: PartPlace, reason: string) => {
    const record = index.services.get(sid)?.value;
    const part = record?.parts[at];
    if (record === undefined || part === undefined || part.owner === null) return;
    if (!leadership.isSure() || !isOrphan({ sid, part: at }, record, part)) return;
    const { role, owner: from } = part;
    const name = index.members.get(from)?.value.name ?? from;
    const message = `${role} of ${record.alias || sid}: ${name} is lost, and nobody can take over: ${reason}`;
    news.failover({ sid, part: role, from, to: null, message });
  };

  const takeOver = async (place: PartPlace): Promise<void> => {
    const { sid, part: at } = place;
    const stored = index.services.get(sid);
    const part = stored?.value.parts[at];
    const owner = part?.owner;
    if (stored === undefined || part === undefined || owner === null || owner === undefined) return;
    const tried = triedFor(place, part, owner);
    const placed = await placer.place({
      visible: [],
      selector: part.sel,
      exclude: tried,
      url: part.url,
      key: null,
    });
    placed.release();
    if (losesClient(stored.value, at, placed.mid, index.members)) {
      tried.add(placed.mid);
      throw new ServiceError("CONFLICT", noAddress(placed.mid, placed.name));
    }
    // It may have come back, or this hub may have lost the lead, while others were asked.
    const now = index.services.get(sid);
    if (now?.revision !== stored.revision || !isOrphan(place, stored.value, part)) return;
    if (!leadership.isSure() || news.isRaised("mass-loss")) return;
    await writeTakeOver(place, stored, part, owner, placed);
  };

  /** Who is not asked: the owner, and where the part could not be started since it was lost. */
  const triedFor = (place: PartPlace, { from }: PartRecord, owner: string) => {
    const key = keyOf(place);
    const tried = from === null ? new Set<string>() : (failedAt.get(key) ?? new Set());
    tried.add(owner);
    failedAt.set(key, tried);
    return tried;
  };

  const writeTakeOver = async (
    { sid, part: at }: PartPlace,
    { value: record, revision }: Stored<ServiceRecord>,
    part: PartRecord,
    owner: string,
    to: { readonly mid: string; readonly name: string },
  ) => {
    const home = record.policy.failback === "healthy" ? (part.home ?? owner) : null;
    const handed = handOver(record, at, to.mid, index.members);
    const taken = withPart({ ...handed, by: HUB_ITSELF.token, at: clock.now() }, at, {
      owner: to.mid,
      from: owner,
      to: null,
      home,
    });
    const ownerName = index.members.get(owner)?.value.name ?? owner;
    const message = `${part.role} of ${record.alias || sid}: ${ownerName} is lost, ${to.name} takes over`;
    const written = await parts.audit.changing(
      HUB_ITSELF,
      { action: "service.failover", object: sid, before: revision, detail: message },
      async () => {
        if (!leadership.isSure()) {
          throw new ServiceError("CONFLICT", "this hub does not lead any more");
        }
        const stored = await writer.replace(sid, taken, revision);
        if (stored === undefined) throw changedMeanwhile(sid);
        return stored;
      },
      (stored) => stored.revision,
    );
    news.failover({ sid, part: part.role, from: owner, to: to.mid, message });
    logger.warn({ sid, from: owner, to: to.mid, revision: written.revision }, "failover");
  };

  const note = (sid: string, now: Stored<ServiceRecord> | undefined) => {
    if (now !== undefined && now.value.policy.failover !== "off") wanted.add(sid);
    else wanted.delete(sid);
    if (now !== undefined) return;
    for (const part of [0, 1]) {
      pauses.delete(keyOf({ sid, part }));
      failedAt.delete(keyOf({ sid, part }));
    }
  };

  const looks = lookEvery({ what: "failover", everyMs: LOOK_MS, look, clock, logger });

  return {
    resume: () => {
      budget.resume(listOrphans().keys());
      news.alarm("mass-loss", false, "a person has resumed failover");
    },
    start: () => {
      for (const [sid, stored] of index.services) note(sid, stored);
      stops.push(
        index.onService(note),
        presence.onReport((mid, { outcome }) => {
          if (outcome === "failed") failing.add(mid);
        }),
      );
      looks.start();
    },
    close: () => {
      looks.stop();
      for (const stop of stops.splice(0)) stop();
      wanted.clear();
      failing.clear();
      pauses.clear();
      failedAt.clear();
    },
  };
}

function keyOf({ sid, part }: PartPlace): string {
  return `${sid}/${part}`;
}
