import type { Clock } from "@nodepass/master-api";
import type { Leadership } from "../leader/leadership.ts";
import type { LivePresence } from "../members/live-presence.ts";
import type { Outbox } from "../members/nats-messenger.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { LiveNews } from "./fleet-news.ts";

const TICK_MS = 5000;
/** A process is told so often at most, ms. */
const TELL_MS = 4000;

/** One that has just begun is about to sync by itself, ms. */
const SYNC_LEAVE_MS = 1500;

/** What becomes of heartbeats that show something. */
export interface HeartbeatWatch {
  heard(mid: string, session: string, heard: ReturnType<LivePresence["heartbeat"]>): void;
  close(): void;
}

/**
 * Asks members to sync whom this hub does not know, and, if it leads, sends a second process with the
 * same identity away: who synced last has the seat. All else only show it.
 */
export function watchHeartbeats(options: {
  readonly index: Pick<FleetIndex, "members">;
  readonly presence: LivePresence;
  readonly outbox: Pick<Outbox, "evict" | "resync">;
  readonly leadership: Leadership;
  readonly news: LiveNews;
  readonly clock: Clock;
}): HeartbeatWatch {
  const { index, presence, outbox, leadership, news, clock } = options;
  /** When a process was told last, by mid; those that go are swept with the tick. */
  const told = new Map<string, number>();
  const mayTell = (mid: string, session: string) => {
    const key = `${mid}/${session}`;
    const now = clock.monotonic();
    if (now - (told.get(key) ?? Number.NEGATIVE_INFINITY) < TELL_MS) return false;
    told.set(key, now);
    return true;
  };

  let isClosed = false;
  let cancel = (): void => undefined;
  const tick = () => {
    const now = clock.monotonic();
    for (const [key, at] of told) if (now - at > TICK_MS) told.delete(key);
    if (leadership.isLeading()) {
      const twice = [...index.members.keys()].filter((mid) => presence.facts(mid).duplicate);
      const names = twice.slice(0, 5).join(", ");
      const text = `${twice.length} masters run twice with one identity: ${names}`;
      news.alarm("duplicate", twice.length > 0, twice.length > 0 ? text : "no master runs twice");
    }
    cancel = clock.after(TICK_MS, tick);
  };
  cancel = clock.after(TICK_MS, tick);

  return {
    heard: (mid, session, { isUnknown, isDuplicate }) => {
      if (isDuplicate && leadership.isLeading() && mayTell(mid, session)) {
        const reason = "another process with this identity has synced after it";
        outbox.evict(mid, { session, reason });
      } else if (isUnknown && mayTell(mid, session)) {
        clock.after(SYNC_LEAVE_MS, () => {
          if (isClosed || presence.hasSynced(mid, session)) return;
          // Not all of them at once.
          const afterMs = Math.min(10_000, 200 + index.members.size * 4);
          outbox.resync(mid, { session, afterMs });
        });
      }
    },
    close: () => {
      isClosed = true;
      cancel();
    },
  };
}
