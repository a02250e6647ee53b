import { locale } from "../i18n/index.ts";

const units = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** A span in its two greatest units: `45 sec`, `3 min 5 sec`, `12 days 4 hr`. */
export function formatSpan(seconds: number): string {
  let left = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const value = Math.floor(left / size);
    left -= value * size;
    if (value === 0 && (parts.length === 0 || unit === "second") && unit !== "second") continue;
    if (value === 0 && parts.length > 0) continue;
    parts.push(
      new Intl.NumberFormat(locale.value, { style: "unit", unit, unitDisplay: "short" }).format(
        value,
      ),
    );
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** How long ago something was: `3 minutes ago`. */
export function formatAgo(time: Date, now = Date.now()): string {
  const seconds = Math.round((time.getTime() - now) / 1000);
  const format = new Intl.RelativeTimeFormat(locale.value, { numeric: "auto" });
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size || unit === "second") {
      return format.format(Math.trunc(seconds / size), unit);
    }
  }
  return "";
}

/** A moment: time of day alone if it is today's. */
export function formatMoment(time: Date): string {
  const isToday = time.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(locale.value, {
    ...(isToday ? {} : { dateStyle: "medium" as const }),
    timeStyle: "medium",
  }).format(time);
}
