import { ServiceError } from "@nodepass/model";

/** Bounds of the event streams. */
export interface EventOptions {
  /** Streams open at once; more are answered 503. @default 256 */
  maxReaders?: number | undefined;
  /** Log lines that wait for one slow reader; older ones are dropped and counted. @default 512 */
  maxQueuedLines?: number | undefined;
  /** UTF-16 units of those lines together. @default 262144 */
  maxQueuedCharacters?: number | undefined;
  /** A reader that lets this many lines drop without reading is cut off. @default 10000 */
  maxDroppedLines?: number | undefined;
  /** A reader that reads nothing for this long while something waits is cut off. @default 30000 */
  stallTimeoutMs?: number | undefined;
  /** Least time between two states of one instance. @default 100 */
  stateSpacingMs?: number | undefined;
  /** A comment goes out after this long without any byte. @default 15000 */
  keepAliveMs?: number | undefined;
  /** After this long without an event a running instance's state is sent again. @default 60000 */
  refreshMs?: number | undefined;
  /** Longest wait for readers to take their `shutdown` when the API closes. @default 1000 */
  drainTimeoutMs?: number | undefined;
  /** How long a ticket can be used. @default 30000 */
  ticketLifeMs?: number | undefined;
  /** Unused tickets kept; the oldest give way. @default 1024 */
  maxTickets?: number | undefined;
}

/** {@link EventOptions} with every value: times in ms, the rest numbers of what they name. */
export type EventLimits = { [Name in keyof EventOptions]-?: number };

/** What holds where nothing is given. */
export const DEFAULT_EVENT_OPTIONS: EventLimits = {
  maxReaders: 256,
  maxQueuedLines: 512,
  maxQueuedCharacters: 262_144,
  maxDroppedLines: 10_000,
  stallTimeoutMs: 30_000,
  stateSpacingMs: 100,
  keepAliveMs: 15_000,
  refreshMs: 60_000,
  drainTimeoutMs: 1000,
  ticketLifeMs: 30_000,
  maxTickets: 1024,
};

/** Fills in the defaults. @throws {ServiceError} `INVALID_OPTIONS`, naming the option */
export function resolveEventOptions(options: EventOptions): EventLimits {
  const limits = { ...DEFAULT_EVENT_OPTIONS };
  for (const name of Object.keys(limits) as (keyof EventLimits)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || value < 0 || value > 2_147_483_647) {
      throw new ServiceError(
        "INVALID_OPTIONS",
        `events.${name} is ${value}, not an integer of 0 or more`,
      );
    }
    limits[name] = value;
  }
  return limits;
}
