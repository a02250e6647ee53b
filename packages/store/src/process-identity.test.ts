import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { formatIdentity, isRunning, ownIdentity, parseIdentity } from "./process-identity.ts";

/** Above the highest pid of Linux (2^22) and macOS. */
const NOBODY = 4_194_305;

describe("process identity", () => {
  test("survives being a file name", () => {
    const own = ownIdentity();
    expect(parseIdentity(formatIdentity(own))).toEqual(own);
    expect(own.pid).toBe(process.pid);
    expect(ownIdentity().nonce).not.toBe(own.nonce);
  });

  test.each([
    "",
    "pid-1",
    "pid-0-start-1-boot-0-0123456789abcdef",
    "../pid-1-start-1-boot-0-0123456789abcdef",
    "pid-1-start-1-boot-0-0123456789abcdeg",
  ])("does not take %j for one", (text) => {
    expect(parseIdentity(text)).toBeUndefined();
  });

  test("tells a running process from one that is gone", () => {
    expect(isRunning(ownIdentity())).toBe(true);
    expect(isRunning({ ...ownIdentity(), pid: process.ppid, startTime: "0" })).toBe(true);
    expect(isRunning({ ...ownIdentity(), pid: NOBODY })).toBe(false);
  });

  // Only Linux has /proc.
  test.skipIf(!existsSync("/proc/self/stat"))(
    "does not take a later process with the same pid, or one after a reboot, for the holder",
    () => {
      const own = ownIdentity();
      expect(own.startTime).not.toBe("0");
      expect(isRunning({ ...own, startTime: "1" })).toBe(false);
      expect(isRunning({ ...own, boot: own.boot === "00000000" ? "11111111" : "00000000" })).toBe(
        false,
      );
    },
  );

  test("takes a process for the holder where the system tells no more than pids", () => {
    expect(isRunning({ ...ownIdentity(), startTime: "0", boot: "0" })).toBe(true);
  });
});
