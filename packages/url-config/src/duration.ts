import { quote, UrlConfigError } from "./url-problem.ts";

const nanosecondsPerUnit: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n], // U+00B5, micro sign
  ["μs", 1_000n], // U+03BC, Greek letter mu
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

const durationPattern = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const partPattern = /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g;

/** Largest value of Go's `time.Duration`: a signed 64-bit count of nanoseconds. */
const largestNanoseconds = 2n ** 63n - 1n;
/** A text longer than this is refused unread: no use for one, and its arithmetic grows with it. */
const longestTextCharacters = 128;

/** What `parseDuration` accepts, in words. */
export const durationForm = "a duration such as 300ms, 15s or 1h30m";

/**
 * Reads a duration in the text form of Go's `time.ParseDuration`.
 *
 * @returns milliseconds, with a fraction for units below; negative for a leading `-`
 * @throws {UrlConfigError} `INVALID_DURATION` if the text has no such form or exceeds 64 bits of ns
 * @example
 * parseDuration("1h30m"); // 5400000
 */
export function parseDuration(text: string): number {
  const milliseconds = readDuration(text);
  if (milliseconds === undefined) {
    const message = `duration ${quote(text)} is not valid (allowed: ${durationForm})`;
    throw new UrlConfigError("INVALID_DURATION", [
      {
        code: "INVALID_VALUE",
        parameter: "duration",
        value: text,
        allowed: durationForm,
        message,
      },
    ]);
  }
  return milliseconds;
}

/** Like {@link parseDuration}, but `undefined` instead of an error. */
export function readDuration(text: string): number | undefined {
  if (text.length > longestTextCharacters) return undefined;
  if (text === "0" || text === "+0" || text === "-0") return 0;
  if (!durationPattern.test(text)) return undefined;
  let nanoseconds = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(partPattern)) {
    const scale = nanosecondsPerUnit.get(unit);
    if (scale === undefined) return undefined;
    nanoseconds += BigInt(whole === "" ? "0" : whole) * scale;
    // Digits below one nanosecond are cut off, as Go does.
    if (fraction !== "") nanoseconds += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  const negative = text.startsWith("-");
  // Go's range is not symmetric: -2^63 ns is a duration, 2^63 ns is not.
  if (nanoseconds > largestNanoseconds + (negative ? 1n : 0n)) return undefined;
  if (nanoseconds === 0n) return 0;
  const milliseconds =
    Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1_000_000;
  return negative ? -milliseconds : milliseconds;
}

/**
 * Writes milliseconds as Go's `Duration.String` does: `5m0s`, `1h0m0s`, `1.5s`, `100ms`, `0s`.
 *
 * @param milliseconds a finite number; rounded to whole nanoseconds
 * @example
 * formatDuration(300_000); // "5m0s"
 */
export function formatDuration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) {
    throw new RangeError(`duration of ${milliseconds} ms is not finite`);
  }
  const sign = milliseconds < 0 ? "-" : "";
  const whole = Math.trunc(Math.abs(milliseconds));
  const rest = Math.round((Math.abs(milliseconds) - whole) * 1_000_000);
  const nanoseconds = BigInt(whole) * 1_000_000n + BigInt(rest);
  if (nanoseconds === 0n) return "0s";
  if (nanoseconds < 1_000n) return `${sign}${nanoseconds}ns`;
  if (nanoseconds < 1_000_000n) return `${sign}${decimal(nanoseconds, 1_000n)}µs`;
  if (nanoseconds < 1_000_000_000n) return `${sign}${decimal(nanoseconds, 1_000_000n)}ms`;
  const minutes = nanoseconds / 60_000_000_000n;
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** `amount / unit` as a decimal number without trailing zeros; `unit` is a power of ten. */
function decimal(amount: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const fraction = String(amount % unit)
    .padStart(digits, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(amount / unit) : `${amount / unit}.${fraction}`;
}
