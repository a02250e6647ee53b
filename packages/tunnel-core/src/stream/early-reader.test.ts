import { expect, test } from "vitest";
import { OWNED, SHARED } from "./byte-stream.ts";
import { EarlyReader } from "./early-reader.ts";

test("keeps copies of what comes, up to a bound, and the end", () => {
  const reader = new EarlyReader();
  expect(reader.early).toBeUndefined();
  const shared = Buffer.from("abcdef");
  expect(reader.onBytes(shared, 3, SHARED)).toBe(true);
  shared.fill(0);
  expect(reader.onBytes(Buffer.from("xyz"), 3, SHARED)).toBe(true);
  expect(String(reader.early?.bytes)).toBe("abcxyz");
  expect(reader.early?.ended).toBe(false);
  // No further than 16 KiB: what would come then stays with the system.
  expect(reader.onBytes(Buffer.alloc(16 * 1024), 16 * 1024, OWNED)).toBe(false);
  reader.onEnd();
  expect(reader.early).toMatchObject({ ended: true });
  expect(reader.early?.bytes?.length).toBe(6 + 16 * 1024);
});

test("an end without a byte is early input too", () => {
  const reader = new EarlyReader();
  reader.onEnd();
  expect(reader.early).toEqual({ bytes: undefined, ended: true });
});

test("tells once who waits that the stream is lost", () => {
  let lost = 0;
  const reader = new EarlyReader(() => lost++);
  reader.onError(new Error("reset"));
  expect(lost).toBe(0);
  reader.onClose();
  expect(lost).toBe(1);
});
