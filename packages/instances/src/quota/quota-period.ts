import type { Quota } from "@nodepass/url-config";

/** The beginning of the period that `now` is in, and its end; both ms since 1970. */
export interface QuotaPeriod {
  readonly start: number;
  /** `undefined`: it never ends. */
  readonly end: number | undefined;
}

/**
 * The period of a quota: days and months of UTC, months from one `resetDay` to the next.
 *
 * @param resetDay 1 to 28, so that every month has it
 */
export function quotaPeriod(period: Quota["period"], resetDay: number, now: number): QuotaPeriod {
  const date = new Date(now);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (period === "ever") return { start: 0, end: undefined };
  if (period === "day") {
    return { start: Date.UTC(year, month, day), end: Date.UTC(year, month, day + 1) };
  }
  const first = day >= resetDay ? month : month - 1;
  return { start: Date.UTC(year, first, resetDay), end: Date.UTC(year, first + 1, resetDay) };
}
