import { expect, test } from "vitest";
import {
  bitString,
  explicit,
  integer,
  objectIdentifier,
  sequence,
  time,
  utf8String,
} from "./der.ts";

test.each([
  // From X.690, 8.19.5 and from common certificates.
  ["2.5.3", "0602", "5503"],
  ["1.2.840.10045.4.3.2", "0608", "2a8648ce3d040302"],
])("writes the identifier %s", (dotted, head, contents) => {
  expect(objectIdentifier(dotted).toString("hex")).toBe(head + contents);
});

test("writes integers without a sign, text, bits and context tags", () => {
  expect(integer(Buffer.of(0x80)).toString("hex")).toBe("02020080");
  expect(integer(Buffer.of(0x7f)).toString("hex")).toBe("02017f");
  expect(utf8String("é").toString("hex")).toBe("0c02c3a9");
  expect(bitString(Buffer.of(5)).toString("hex")).toBe("03020005");
  expect(explicit(0, integer(Buffer.of(2))).toString("hex")).toBe("a003020102");
});

test.each([
  [127, "307f"],
  [128, "308180"],
  [256, "30820100"],
  [65_535, "3082ffff"],
])("writes a length of %i bytes", (length, head) => {
  expect(sequence(Buffer.alloc(length)).toString("hex", 0, head.length / 2)).toBe(head);
});

test("writes a moment as UTCTime before 2050 and as GeneralizedTime after", () => {
  expect(time(new Date("2026-11-26T01:02:03.456Z")).toString("latin1")).toBe(
    "\x17\x0d261126010203Z",
  );
  expect(time(new Date("2050-01-01T00:00:00Z")).toString("latin1")).toBe("\x18\x0f20500101000000Z");
});
