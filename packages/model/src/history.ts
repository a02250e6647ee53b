/** What a history is made of, in the order in which it is kept. */
export const HISTORY_SERIES = ["rx", "tx", "tcps", "udps", "pool", "ping"] as const;

/** `rx` and `tx` in bytes/s, `tcps` and `udps` connections and sessions, `pool`, `ping` in ms. */
export type HistorySeries = (typeof HISTORY_SERIES)[number];

/** How far back a history goes, and in which steps: name, seconds of a step, points at most. */
export const HISTORY_RANGES = {
  hour: { stepSeconds: 5, points: 720 },
  day: { stepSeconds: 60, points: 1440 },
  month: { stepSeconds: 900, points: 2880 },
} as const;

/** A range of history. */
export type HistoryRange = keyof typeof HISTORY_RANGES;

/** All ranges, the shortest first. */
export const HISTORY_RANGE_NAMES: readonly HistoryRange[] = ["hour", "day", "month"];

/** One value for each step, oldest first; `null` where the instance did not run. */
export type InstanceHistory = { readonly [Name in HistorySeries]: readonly (number | null)[] } & {
  /** Seconds of a step. */
  readonly step: number;
  /** Beginning of the first step, RFC 3339 in UTC. */
  readonly start: string;
};
