import type { Clock } from "@nodepass/master-api";

/** What a member may say at once, and each second: a start with 500 instances that somebody watches. */
const BURST = { messages: 2000, bytes: 8 * 1024 * 1024 } as const;
const A_SECOND = { messages: 500, bytes: 2 * 1024 * 1024 } as const;
/** Beyond that within a second, it is not one that says too much but one that means it ill. */
const FLOOD = { messages: 30_000, bytes: 8 * 1024 * 1024 } as const;

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
  /** @returns whether it may be heard */
  take(mid: string, bytes: number): boolean;
  forget(mid: string): void;
}

/** @param onFlood a member says so much that it costs the others their hub */
export function createMemberBudget(clock: Clock, onFlood: (mid: string) => void): MemberBudget {
  const members = new Map<string, Spent>();

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
    take: (mid, bytes) => {
      const now = clock.monotonic();
      let spent = members.get(mid);
      if (spent === undefined) {
        spent = { at: now, messages: 0, bytes: 0, since: now, dropped: 0, droppedBytes: 0 };
        members.set(mid, spent);
      }
      const seconds = (now - spent.at) / 1000;
      spent.at = now;
      spent.messages = Math.max(0, spent.messages - seconds * A_SECOND.messages);
      spent.bytes = Math.max(0, spent.bytes - seconds * A_SECOND.bytes);
      if (spent.messages + 1 > BURST.messages || spent.bytes + bytes > BURST.bytes) {
        drop(mid, spent, bytes, now);
        return false;
      }
      spent.messages += 1;
      spent.bytes += bytes;
      return true;
    },
    forget: (mid) => {
      members.delete(mid);
    },
  };
}
