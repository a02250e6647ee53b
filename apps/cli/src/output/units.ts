const steps = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** An amount of bytes with three digits at least: `0 B`, `999 B`, `1.23 kB`, `45.6 MB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let step = 0;
  // What would be rounded up to 1000 belongs to the next unit.
  while (step < steps.length - 1 && value >= (step === 0 ? 1000 : 999.5)) {
    value /= 1000;
    step += 1;
  }
  const decimals = step === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(decimals)} ${steps[step]}`;
}

/** A rate; a dash where it is not known. */
export function formatRate(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? "-" : `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** A time span in its two greatest units: `45s`, `3m 5s`, `2h 0m`, `12d 4h`. */
export function formatSeconds(seconds: number): string {
  const total = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(total / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${total}s`;
  if (hours === 0) return `${minutes}m ${total % 60}s`;
  if (hours < 24) return `${hours}h ${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}
