import { StoreError } from "./store-error.ts";

/** The numbers of {@link OpenStoreOptions}. */
export interface StoreLimits {
  backupIntervalMs: number;
  counterIntervalMs: number;
  maxFileBytes: number;
}

/** What `openStore` takes where an option is absent. */
export const DEFAULT_STORE_LIMITS: Readonly<StoreLimits> = {
  backupIntervalMs: 3_600_000,
  counterIntervalMs: 1000,
  maxFileBytes: 268_435_456,
};

/** Lowest and highest; timers of Node.js end at 2^31 - 1. */
const RANGES: Readonly<Record<keyof StoreLimits, readonly [number, number]>> = {
  backupIntervalMs: [1000, 2_147_483_647],
  counterIntervalMs: [10, 3_600_000],
  maxFileBytes: [1024, 1_073_741_824],
};

/**
 * Fills in defaults and checks the ranges.
 *
 * @throws {StoreError} `INVALID_OPTIONS`, naming the option, its value and its limits
 */
export function resolveStoreLimits(
  options: {
    [Name in keyof StoreLimits]?: number | undefined;
  },
): StoreLimits {
  const pick = (name: keyof StoreLimits): number => {
    const value = options[name] ?? DEFAULT_STORE_LIMITS[name];
    const [lowest, highest] = RANGES[name];
    if (Number.isInteger(value) && value >= lowest && value <= highest) return value;
    throw new StoreError(
      "INVALID_OPTIONS",
      `${name} is ${value}, must be an integer from ${lowest} to ${highest}`,
    );
  };
  return {
    backupIntervalMs: pick("backupIntervalMs"),
    counterIntervalMs: pick("counterIntervalMs"),
    maxFileBytes: pick("maxFileBytes"),
  };
}
