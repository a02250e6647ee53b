import type { Clock } from "@nodepass/master-api";
import type { Leadership } from "../leader/leadership.ts";
import type { LivePresence } from "../members/live-presence.ts";
import type { Outbox } from "../members/nats-messenger.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { LiveNews } from "./fleet-news.ts";

const TICK_MS = 5000;
/** A process is told so often at most, ms. */
const TELL_MS = 4000;
/** Processes of one member that are told within that time: anybody at the engine can make them up. */
const MAX_TOLD = 4;

/** One that has just begun is about to sync by itself, ms. */
const SYNC_LEAVE_MS = 1500;

/** What becomes of heartbeats that show something. */
export interface HeartbeatWatch {
  /** The store is another one: members are to hear which, and what they have in it. */
  resyncAll(): void;
  heard(mid: string, session: string, heard: ReturnType<LivePresence["heartbeat"]>): void;
  close(): void;
}

/**
 * Asks members to sync whom this hub does not know, and, if it leads, sends a second process with the
 * same identity away: who synced last has the seat, and lives. All else only show it.
 */
export function watchHeartbeats(options: {
  readonly index: Pick<FleetIndex, "members">;
  readonly presence: LivePresence;
  readonly outbox: Pick<Outbox, "evict" | "resync" | "isThere">;
  readonly leadership: Leadership;
  readonly news: LiveNews;
  readonly clock: Clock;
  /** Nonces of hubs' runs. */
  readonly runs: () => readonly string[];
}): HeartbeatWatch {
  const { index, presence, outbox, leadership, news, clock } = options;
  /** When its processes were told last, by mid; those that go are swept with the tick. */
  const told = new Map<string, Map<string, number>>();
  const mayTell = (mid: string, session: string) => {
    const now = clock.monotonic();
    const own = told.get(mid) ?? new Map<string, number>();
    const before = own.get(session);
    if (before === undefined ? own.size >= MAX_TOLD : now - before < TELL_MS) return false;
    told.set(mid, own.set(session, now));
    return true;
  };

  const resync = (mid: string, session: string) => {
    // Not all of them at once.
    const afterMs = Math.min(10_000, 200 + index.members.size * 4);
    outbox.resync(mid, { session, afterMs, runs: [...options.runs()] });
  };

  let isClosed = false;
  let cancel = (): void => undefined;
  const tick = () => {
    const now = clock.monotonic();
    for (const [mid, own] of told) {
      for (const [session, at] of own) if (now - at > TICK_MS) own.delete(session);
      if (own.size === 0) told.delete(mid);
    }
    if (leadership.isLeading()) {
      const twice = [...index.members.keys()].filter((mid) => presence.facts(mid).duplicate);
      const names = twice.slice(0, 5).join(", ");
      const count = twice.length === 1 ? "1 master runs" : `${twice.length} masters run`;
      const text = `${count} twice with one identity: ${names}`;
      news.alarm("duplicate", twice.length > 0, twice.length > 0 ? text : "no master runs twice");
    }
    cancel = clock.after(TICK_MS, tick);
  };
  cancel = clock.after(TICK_MS, tick);

  /** It is sent away for good, so the other one has to show first that it lives. */
  const judge = async (mid: string, session: string) => {
    const { session: seat } = presence.facts(mid);
    try {
      const isThere = await outbox.isThere(mid);
      if (isClosed || presence.facts(mid).session !== seat) return;
      if (!isThere) {
        presence.vacate(mid, session);
        return;
      }
      presence.expel(mid, session);
      if (!leadership.isLeading()) return;
      const reason = "another process with this identity has synced after it";
      outbox.evict(mid, { session, reason });
    } catch {
      // The engine is away: its next heartbeat asks again.
    }
  };

  return {
    heard: (mid, session, { isUnknown, isDuplicate }) => {
      if (isDuplicate) {
        if (mayTell(mid, session)) void judge(mid, session);
      } else if (isUnknown && mayTell(mid, session)) {
        clock.after(SYNC_LEAVE_MS, () => {
          if (isClosed || presence.hasSynced(mid, session)) return;
          resync(mid, session);
        });
      }
    },
    resyncAll: () => {
      for (const mid of index.members.keys()) {
        const { session } = presence.facts(mid);
        if (session !== undefined) resync(mid, session);
      }
    },
    close: () => {
      isClosed = true;
      cancel();
    },
  };
}
