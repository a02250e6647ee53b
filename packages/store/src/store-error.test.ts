import { describe, expect, test } from "vitest";
import { StoreError, systemCode, toStoreError } from "./store-error.ts";

const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

describe("toStoreError", () => {
  test("says what failed and why, and keeps the system's error", () => {
    const error = toStoreError("WRITE_FAILED", "state cannot be written", full);
    expect(error).toMatchObject({ code: "WRITE_FAILED", cause: full, name: "StoreError" });
    expect(error.message).toBe("state cannot be written: no space left on the disk (ENOSPC)");
  });

  test("finds the system's error behind others", () => {
    const wrapped = new Error("outer", { cause: new Error("inner", { cause: full }) });
    expect(systemCode(wrapped)).toBe("ENOSPC");
    expect(toStoreError("WRITE_FAILED", "x", wrapped).message).toContain("no space left");
  });

  test("passes its own kind through and takes anything that can be thrown", () => {
    const own = new StoreError("LOCKED", "held", { holderPid: 7 });
    expect(toStoreError("WRITE_FAILED", "x", own)).toBe(own);
    expect(toStoreError("INVALID_STATE", "x", "text").message).toBe("x: text");
    expect(toStoreError("INVALID_STATE", "x", new TypeError("odd")).message).toBe("x: odd");
  });

  test("does not run for ever along causes in a circle", () => {
    const circle = new Error("round");
    circle.cause = circle;
    expect(systemCode(circle)).toBeUndefined();
  });
});
