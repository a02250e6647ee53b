/** Part of all members that may be failed over within a minute, and how many at least. */
const MOST_SHARE = 0.05;
const AT_LEAST = 3;
const WINDOW_MS = 60_000;

/**
 * How many members may be given up: beyond that it is more likely that the hub itself is cut off.
 * Section 6, "Failover".
 */
export interface FailoverBudget {
  /**
   * Whether a member may be failed over now; counts it if so.
   *
   * @param now monotonic, ms
   * @param members of the whole fleet
   */
  take(mid: string, now: number, members: number): boolean;
  /** A person has looked: these may be failed over, too, and counting begins anew. */
  resume(lost: Iterable<string>): void;
}

export function createFailoverBudget(): FailoverBudget {
  /** When each was failed over. */
  const taken = new Map<string, number>();
  const allowed = new Set<string>();
  return {
    take: (mid, now, members) => {
      for (const [one, at] of taken) if (now - at > WINDOW_MS) taken.delete(one);
      if (taken.has(mid) || allowed.has(mid)) return true;
      if (taken.size >= Math.max(AT_LEAST, Math.floor(members * MOST_SHARE))) return false;
      taken.set(mid, now);
      return true;
    },
    resume: (lost) => {
      taken.clear();
      allowed.clear();
      for (const mid of lost) allowed.add(mid);
    },
  };
}
