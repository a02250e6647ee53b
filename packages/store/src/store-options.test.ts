import { expect, test } from "vitest";
import { storeErrorOf } from "../test/support/store-error.ts";
import { DEFAULT_STORE_LIMITS, resolveStoreLimits } from "./store-options.ts";

test("fills in the defaults and keeps what is given", () => {
  expect(resolveStoreLimits({})).toEqual(DEFAULT_STORE_LIMITS);
  expect(resolveStoreLimits({ backupIntervalMs: 2000, maxFileBytes: undefined })).toEqual({
    ...DEFAULT_STORE_LIMITS,
    backupIntervalMs: 2000,
  });
});

test.each([
  [
    { backupIntervalMs: 999 },
    "backupIntervalMs is 999, must be an integer from 1000 to 2147483647",
  ],
  [{ backupIntervalMs: 2 ** 31 }, "backupIntervalMs is 2147483648"],
  [{ counterIntervalMs: 9 }, "counterIntervalMs is 9"],
  [{ counterIntervalMs: 1000.5 }, "counterIntervalMs is 1000.5"],
  [{ maxFileBytes: Number.NaN }, "maxFileBytes is NaN"],
  [{ maxFileBytes: 2 ** 30 + 1 }, "maxFileBytes is 1073741825"],
])("refuses %o", async (options, message) => {
  const error = await storeErrorOf(() => resolveStoreLimits(options));
  expect(error.code).toBe("INVALID_OPTIONS");
  expect(error.message).toContain(message);
});
