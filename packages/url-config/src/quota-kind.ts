import type { Quota } from "./settings.ts";
import type { ValueKind } from "./value-kinds.ts";

/** Units of sizes, bytes; decimal as the field writes them, and binary. */
const units = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

const form = /^(\d{1,16}(?:\.\d{1,3})?)(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)(?:\/(day|month))?$/;

/** Bytes of traffic in a period; without one, for good. */
export function quota(): ValueKind<Quota | undefined> {
  return {
    // To overlook it would let everything through.
    guards: true,
    read: (text) => {
      if (text === "none") return { value: undefined };
      const match = form.exec(text);
      if (match === null) return undefined;
      const [, size = "", unit = "B", period] = match;
      const bytes = Math.round(Number(size) * units[unit as keyof typeof units]);
      if (bytes < 1 || bytes > Number.MAX_SAFE_INTEGER) return undefined;
      return { value: { bytes, period: period === "day" || period === "month" ? period : "ever" } };
    },
    allowed: "none, or a size such as 500GB, 1.5TB or 20GiB, for good or with /day or /month",
  };
}

/**
 * Writes a quota as a URL has it, in the unit that needs the fewest digits.
 *
 * @example
 * formatQuota({ bytes: 500e9, period: "month" }); // "500GB/month"
 */
export function formatQuota({ bytes, period }: Quota): string {
  const texts = Object.entries(units)
    .filter(([, unit]) => bytes % unit === 0)
    .map(([name, unit]) => `${bytes / unit}${name}`);
  const shortest = texts.reduce((best, text) => (text.length <= best.length ? text : best));
  return `${shortest}${period === "ever" ? "" : `/${period}`}`;
}
