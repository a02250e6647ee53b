import type { Clock } from "@nodepass/master-api";

const MIB = 1024 * 1024;
/**
 * What a member may say at once, and each second. Events of instances that somebody watches, of which it tells
 * 1,250 a second at most, take nothing from what it must be heard with: its heartbeats, syncs and leases.
 */
const LIMITS = {
  words: { burst: { messages: 2000, bytes: 8 * MIB }, second: { messages: 500, bytes: 2 * MIB } },
  events: { burst: { messages: 3000, bytes: 8 * MIB }, second: { messages: 1500, bytes: 4 * MIB } },
} as const;
export type Said = keyof typeof LIMITS;
/** Beyond that within a second, it is not one that says too much but one that means it ill. */
const FLOOD = { messages: 30_000, bytes: 8 * MIB } as const;

interface Spent {
  at: number;
  messages: number;
  bytes: number;
  /** Of what was dropped: since when, how many, how much. */
  since: number;
  dropped: number;
  droppedBytes: number;
}

/** What members say by themselves is bounded for each of them, before anything is opened. */
export interface MemberBudget {
  /** @param what @default "words" @returns whether it may be heard */
  take(mid: string, bytes: number, what?: Said): boolean;
  forget(mid: string): void;
}

/** @param onFlood a member says so much that it costs the others their hub */
export function createMemberBudget(clock: Clock, onFlood: (mid: string) => void): MemberBudget {
  const members = { words: new Map<string, Spent>(), events: new Map<string, Spent>() };

  const drop = (mid: string, spent: Spent, bytes: number, now: number) => {
    if (now - spent.since > 1000) Object.assign(spent, { since: now, dropped: 0, droppedBytes: 0 });
    spent.dropped += 1;
    spent.droppedBytes += bytes;
    if (spent.dropped <= FLOOD.messages && spent.droppedBytes <= FLOOD.bytes) return;
    spent.dropped = 0;
    spent.droppedBytes = 0;
    onFlood(mid);
  };

  return {
    take: (mid, bytes, what = "words") => {
      const now = clock.monotonic();
      const { burst, second } = LIMITS[what];
      let spent = members[what].get(mid);
      if (spent === undefined) {
        spent = { at: now, messages: 0, bytes: 0, since: now, dropped: 0, droppedBytes: 0 };
        members[what].set(mid, spent);
      }
      const seconds = (now - spent.at) / 1000;
      spent.at = now;
      spent.messages = Math.max(0, spent.messages - seconds * second.messages);
      spent.bytes = Math.max(0, spent.bytes - seconds * second.bytes);
      if (spent.messages + 1 > burst.messages || spent.bytes + bytes > burst.bytes) {
        drop(mid, spent, bytes, now);
        return false;
      }
      spent.messages += 1;
      spent.bytes += bytes;
      return true;
    },
    forget: (mid) => {
      members.words.delete(mid);
      members.events.delete(mid);
    },
  };
}
