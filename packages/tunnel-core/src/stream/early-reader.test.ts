import { expect, test } from "vitest";
import { OWNED, SHARED } from "./byte-stream.ts";
import { EarlyReader } from "./early-reader.ts";

test("keeps copies of what comes, up to a bound, and the end, and gives them away once", () => {
  const reader = new EarlyReader();
  expect(reader.takeEarly()).toBeUndefined();
  const shared = Buffer.from("abcdef");
  expect(reader.onBytes(shared, 3, SHARED)).toBe(true);
  shared.fill(0);
  expect(reader.onBytes(Buffer.from("xyz"), 3, SHARED)).toBe(true);
  // No further than 16 KiB: what would come then stays with the system.
  expect(reader.onBytes(Buffer.alloc(16 * 1024), 16 * 1024, OWNED)).toBe(false);
  reader.onEnd();
  const early = reader.takeEarly();
  expect(early?.ended).toBe(true);
  expect(early?.bytes?.toString("latin1", 0, 6)).toBe("abcxyz");
  expect(early?.bytes?.length).toBe(6 + 16 * 1024);
  expect(reader.takeEarly()).toEqual({ bytes: undefined, ended: true });
});

test("an end without a byte is early input too", () => {
  const reader = new EarlyReader();
  reader.onEnd();
  expect(reader.takeEarly()).toEqual({ bytes: undefined, ended: true });
});

test("tells once who waits that the stream is lost", () => {
  let lost = 0;
  const reader = new EarlyReader(() => lost++);
  reader.onError(new Error("reset"));
  expect(lost).toBe(0);
  reader.onClose();
  expect(lost).toBe(1);
});
