/** Shortest and longest wait before the engine is tried again, ms. */
export const RECONNECT_WAIT = { min: 500, max: 30_000 } as const;

/**
 * How long to wait before the next try: anywhere between the shortest wait and twice as much as the
 * time before, so that a thousand members that were cut at once do not come back at once.
 *
 * @param failures tries that failed in a row, 0 for the first after a connection that was good
 * @param random 0 to 1
 */
export function reconnectWait(failures: number, random = Math.random()): number {
  const { min, max } = RECONNECT_WAIT;
  const widest = Math.min(max, min * 2 ** Math.min(failures + 1, 16));
  return Math.round(min + random * (widest - min));
}
