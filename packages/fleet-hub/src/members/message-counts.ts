/** What was dropped because it could not be read, by where it came in. */
export const BAD_MESSAGE_PLACES = [
  "heartbeat",
  "sync",
  "lease",
  "done",
  "event",
  "chunk",
  "answer",
  "notice",
] as const;
export type BadMessagePlace = (typeof BAD_MESSAGE_PLACES)[number];

/** Counts of what a hub takes and drops, for its metrics. */
export interface MessageCounts {
  readonly bad: Record<BadMessagePlace, number>;
  syncs: number;
  busy: number;
}

/** All at zero. */
export function createMessageCounts(): MessageCounts {
  const bad = Object.fromEntries(BAD_MESSAGE_PLACES.map((place) => [place, 0])) as Record<
    BadMessagePlace,
    number
  >;
  return { bad, syncs: 0, busy: 0 };
}
