import { locale } from "../i18n/index.ts";

const steps = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** An amount of bytes with three digits at most: `0 B`, `1.23 kB`, `45.6 MB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let step = 0;
  // What would be rounded up to 1000 belongs to the next unit.
  while (step < steps.length - 1 && value >= 999.5) {
    value /= 1000;
    step += 1;
  }
  const digits = step === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${formatNumber(value, digits)} ${steps[step]}`;
}

/** A rate; a dash where it is not known. */
export function formatRate(bytesPerSecond: number | null | undefined): string {
  return bytesPerSecond === null || bytesPerSecond === undefined
    ? "–"
    : `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

const formats = new Map<string, Intl.NumberFormat>();

/** A number with its thousands apart. */
export function formatNumber(value: number, digits = 0): string {
  const name = `${locale.value} ${digits}`;
  let format = formats.get(name);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale.value, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    formats.set(name, format);
  }
  return format.format(value);
}

/** A part of a whole: `12 %`. */
export function formatShare(part: number, whole: number): string {
  return whole > 0 ? `${formatNumber((100 * part) / whole)} %` : "–";
}
