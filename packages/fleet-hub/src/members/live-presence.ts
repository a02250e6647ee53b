import {
  HEARTBEAT_INTERVAL_MS,
  type Heartbeat,
  type PartReport,
  type Sync,
} from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import { FAILOVER_TTL, type MasterStatus } from "@nodepass/model/fleet";
import type { FleetIndex } from "../store/fleet-index.ts";
import { allowOf } from "./keep-allow.ts";
import type { MemberFacts, Presence } from "./presence.ts";

/** So long without a word, and a member is late: three heartbeats, ms. */
const LATE_AFTER_MS = 3 * HEARTBEAT_INTERVAL_MS;
/** A heartbeat of the process before may still be under way when the next one has synced, ms. */
const SEAT_LEAVE_MS = 2000;
/** Processes of one member that are remembered. */
const MAX_FORMER = 16;
/** Reports of one member that are remembered: its 500 parts, and as many that it gave up. */
const MAX_REPORTS = 1000;
/** Of a master that was given no other. */
const DEFAULT_PREFIX = "/api";
/** How often silence is looked for, ms. */
const TICK_MS = 1000;

interface Known {
  status: MasterStatus;
  heardAt: number | undefined;
  sealedAt: number | undefined;
  heardAtWall: number | undefined;
  /** Who synced last. */
  seat: string | undefined;
  seatSince: number;
  /** Who was heard last; counts only while nobody has synced. */
  heardSession: string | undefined;
  /** Processes that had the seat before, and when they were heard since, if they were. */
  readonly former: Map<string, number | undefined>;
  /** Those of them that are surely second ones. */
  readonly expelled: Set<string>;
  heartbeat: Heartbeat | undefined;
  version: string;
  /** `undefined`: it has not synced with this hub, whose record of it says. */
  allow: Sync["allow"] | undefined;
  prefix: string;
  readonly reports: Map<string, PartReport>;
}

/** What a heartbeat showed that somebody should act on. */
export interface HeardHeartbeat {
  /** Nobody knows what this process runs. */
  readonly isUnknown: boolean;
  /** It has lost the seat to another process, and still goes on. */
  readonly isDuplicate: boolean;
}

/** Presence with the ends at which messages come in. */
export interface LivePresence extends Presence {
  heartbeat(mid: string, heartbeat: Heartbeat): HeardHeartbeat;
  /** A sealed word of the process that has the seat, and that can't have been recorded before. */
  sealedWord(mid: string): void;
  synced(mid: string, sync: Sync): void;
  /** Whether this process has ever had the seat. */
  hasSynced(mid: string, session: string): boolean;
  /** This process goes on beside the one that has the seat, which has shown that it lives. */
  expel(mid: string, session: string): void;
  /** Who has the seat does not answer, while this process is heard: whoever syncs next has it. */
  vacate(mid: string, session: string): void;
  /** Whether this process was found to be a second one and may not take the seat. */
  isEvicted(mid: string, session: string): boolean;
  reported(mid: string, reports: readonly PartReport[]): void;
  /** It is no member any more. */
  forget(mid: string): void;
  close(): void;
}

const keyOf = (sid: string, part: number) => `${sid}/${part}`;

/** Follows who is there; nothing of it is stored. */
export function createPresence(
  index: Pick<FleetIndex, "members" | "services" | "ownedBy">,
  clock: Clock,
): LivePresence {
  const begun = clock.monotonic();
  const begunWall = clock.now();
  const members = new Map<string, Known>();
  const statusListeners = new Set<Parameters<Presence["onStatus"]>[0]>();
  const reportListeners = new Set<Parameters<Presence["onReport"]>[0]>();
  const syncListeners = new Set<Parameters<Presence["onSync"]>[0]>();

  const known = (mid: string): Known => {
    const found = members.get(mid);
    if (found !== undefined) return found;
    const made: Known = {
      status: "new",
      heardAt: undefined,
      sealedAt: undefined,
      heardAtWall: undefined,
      seat: undefined,
      seatSince: 0,
      heardSession: undefined,
      former: new Map(),
      expelled: new Set(),
      heartbeat: undefined,
      version: "",
      allow: undefined,
      prefix: DEFAULT_PREFIX,
      reports: new Map(),
    };
    members.set(mid, made);
    return made;
  };

  /** TTL + 1 s, by the longest that a part of it with failover has. */
  const lostAfterMs = (mid: string) => {
    let ttl: number = FAILOVER_TTL.default;
    for (const { sid } of index.ownedBy(mid)) {
      const policy = index.services.get(sid)?.value.policy;
      if (policy !== undefined && policy.failover !== "off") ttl = Math.max(ttl, policy.ttl);
    }
    return Math.max(ttl * 1000 + 1000, LATE_AFTER_MS + 1000);
  };

  const statusOf = (mid: string, { heardAt }: Pick<Known, "heardAt">): MasterStatus => {
    const joined = index.members.get(mid)?.value.joined ?? 0;
    // Heard by no hub that this one asks: as long as it has listened itself.
    if (heardAt === undefined && joined >= begunWall) return "new";
    const silence = clock.monotonic() - (heardAt ?? begun);
    if (heardAt !== undefined && silence <= LATE_AFTER_MS) return "online";
    return silence <= lostAfterMs(mid) ? "late" : "lost";
  };

  const isHeardTwice = ({ former }: Known) => {
    const since = clock.monotonic() - LATE_AFTER_MS;
    return [...former.values()].some((heard) => heard !== undefined && heard > since);
  };

  const facts = (mid: string): MemberFacts => {
    const member = members.get(mid);
    // Asked for any text that a client sends as a mid: nothing is kept of it.
    const record = index.members.get(mid)?.value;
    const allow = member?.allow ?? (record === undefined ? [] : allowOf(record));
    if (member === undefined) return { ...NOBODY, allow, status: statusOf(mid, NOBODY) };
    return {
      status: member.status,
      heardAt: member.heardAt,
      sealedAt: member.sealedAt,
      heardAtWall: member.heardAtWall,
      session: member.seat ?? member.heardSession,
      heartbeat: member.heartbeat,
      version: member.version,
      allow,
      prefix: member.prefix,
      duplicate: isHeardTwice(member),
      synced: member.seat !== undefined,
    };
  };

  const restate = (mid: string, member: Known) => {
    const status = statusOf(mid, member);
    if (status === member.status) return;
    member.status = status;
    tellStatus(mid);
  };
  const tellStatus = (mid: string) => {
    const now = facts(mid);
    for (const listener of statusListeners) listener(mid, now);
  };

  const heard = (mid: string, member: Known) => {
    member.heardAt = clock.monotonic();
    member.heardAtWall = clock.now();
    restate(mid, member);
  };

  const take = (mid: string, member: Known, report: PartReport) => {
    const key = keyOf(report.sid, report.part);
    const before = member.reports.get(key);
    // What arrives late must not hide what was said after it.
    if (before !== undefined && before.rev > report.rev) return;
    member.reports.set(key, report);
    const [oldest] = member.reports.keys();
    if (member.reports.size > MAX_REPORTS && oldest !== undefined) member.reports.delete(oldest);
    if (before !== undefined && isSameReport(before, report)) return;
    for (const listener of reportListeners) listener(mid, report);
  };

  let stop = (): void => undefined;
  const tick = () => {
    for (const mid of index.members.keys()) restate(mid, known(mid));
    stop = clock.after(TICK_MS, tick);
  };
  stop = clock.after(TICK_MS, tick);

  return {
    facts,
    report: (sid, part) => {
      const owner = index.services.get(sid)?.value.parts[part]?.owner;
      if (owner === undefined || owner === null) return undefined;
      const report = members.get(owner)?.reports.get(keyOf(sid, part));
      return report === undefined ? undefined : { ...report, mid: owner };
    },
    reportOf: (mid, sid, part) => members.get(mid)?.reports.get(keyOf(sid, part)),
    reportsOf: (mid) => [...(members.get(mid)?.reports.values() ?? [])],
    onStatus: (listener) => listen(statusListeners, listener),
    onReport: (listener) => listen(reportListeners, listener),
    onSync: (listener) => listen(syncListeners, listener),
    heartbeat: (mid, heartbeat) => {
      const member = known(mid);
      const { s: session } = heartbeat;
      const wasTwice = isHeardTwice(member);
      const isSeat = member.seat === undefined || member.seat === session;
      if (isSeat) {
        member.heartbeat = heartbeat;
        member.heardSession = session;
      } else if (member.former.has(session)) {
        if (clock.monotonic() - member.seatSince <= SEAT_LEAVE_MS) {
          return { isUnknown: false, isDuplicate: false };
        }
        member.former.set(session, clock.monotonic());
        if (!wasTwice) tellStatus(mid);
        return { isUnknown: false, isDuplicate: true };
      }
      heard(mid, member);
      return { isUnknown: member.seat !== session, isDuplicate: false };
    },
    sealedWord: (mid) => {
      const member = known(mid);
      member.sealedAt = clock.monotonic();
      heard(mid, member);
    },
    synced: (mid, sync) => {
      const member = known(mid);
      if (member.seat !== sync.session) {
        if (member.seat !== undefined) {
          member.former.set(member.seat, undefined);
          const [oldest] = member.former.keys();
          if (member.former.size > MAX_FORMER && oldest !== undefined) {
            member.former.delete(oldest);
            member.expelled.delete(oldest);
          }
        }
        member.former.delete(sync.session);
        member.expelled.delete(sync.session);
        member.seat = sync.session;
        member.seatSince = clock.monotonic();
      }
      member.version = sync.version;
      member.allow = sync.allow;
      member.prefix = sync.prefix ?? DEFAULT_PREFIX;
      const named = new Set(sync.parts.map(({ sid, part }) => keyOf(sid, part)));
      for (const key of member.reports.keys()) if (!named.has(key)) member.reports.delete(key);
      for (const report of sync.parts) {
        // Its own full account stands, whatever was said before.
        member.reports.delete(keyOf(report.sid, report.part));
        take(mid, member, report);
      }
      heard(mid, member);
      tellStatus(mid);
      for (const listener of syncListeners) listener(mid);
    },
    hasSynced: (mid, session) => {
      const member = members.get(mid);
      return member?.seat === session || member?.former.has(session) === true;
    },
    expel: (mid, session) => {
      const member = members.get(mid);
      if (member?.former.has(session) === true) member.expelled.add(session);
    },
    vacate: (mid, session) => {
      const member = members.get(mid);
      if (member?.former.has(session) !== true) return;
      member.seat = undefined;
      member.heardSession = session;
      member.former.clear();
      member.expelled.clear();
      tellStatus(mid);
    },
    isEvicted: (mid, session) => members.get(mid)?.expelled.has(session) === true,
    reported: (mid, reports) => {
      const member = known(mid);
      for (const report of reports) take(mid, member, report);
    },
    forget: (mid) => {
      members.delete(mid);
    },
    close: () => stop(),
  };
}

const NOBODY: MemberFacts = {
  status: "new",
  heardAt: undefined,
  sealedAt: undefined,
  heardAtWall: undefined,
  session: undefined,
  heartbeat: undefined,
  version: "",
  allow: [],
  prefix: DEFAULT_PREFIX,
  duplicate: false,
  synced: false,
};

/** A failure is news each time: failures are counted. */
function isSameReport(a: PartReport, b: PartReport): boolean {
  return (
    b.outcome !== "failed" &&
    a.rev === b.rev &&
    a.epoch === b.epoch &&
    a.outcome === b.outcome &&
    a.reason === b.reason &&
    a.instance === b.instance &&
    a.running === b.running
  );
}

function listen<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
