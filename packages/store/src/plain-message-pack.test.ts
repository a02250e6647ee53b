import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assertPlainMessagePack } from "./plain-message-pack.ts";
import { StoreError } from "./store-error.ts";

const LIMITS = { maxDepth: 4, binary: false };

function check(hex: string, options = LIMITS): void {
  assertPlainMessagePack(Buffer.from(hex, "hex"), options);
}

// From the MessagePack specification, one of each format.
const ALLOWED = [
  ["positive fixint", "7f"],
  ["negative fixint", "e0"],
  ["nil", "c0"],
  ["false", "c2"],
  ["true", "c3"],
  ["float32", "ca3f800000"],
  ["float64", "cb3ff0000000000000"],
  ["uint8", "ccff"],
  ["uint16", "cdffff"],
  ["uint32", "ceffffffff"],
  ["uint64", "cfffffffffffffffff"],
  ["int8", "d0ff"],
  ["int16", "d1ffff"],
  ["int32", "d2ffffffff"],
  ["int64", "d3ffffffffffffffff"],
  ["fixstr", "a3616263"],
  ["str8", "d903616263"],
  ["str16", "da0003616263"],
  ["str32", "db00000003616263"],
  ["fixarray", "93010203"],
  ["array16", "dc0003010203"],
  ["array32", "dd00000003010203"],
  ["fixmap", "82a16101a16202"],
  ["map16", "de0002a16101a16202"],
  ["map32", "df00000002a16101a16202"],
  ["empty map", "80"],
  ["empty array in a map", "81a16190"],
] as const;

describe("assertPlainMessagePack", () => {
  test.each(ALLOWED)(
    "accepts %s, and refuses it cut anywhere or with a byte too many",
    (_, hex) => {
      expect(() => check(hex)).not.toThrow();
      for (let length = 0; length < hex.length; length += 2) {
        expect(() => check(hex.slice(0, length))).toThrow(StoreError);
      }
      expect(() => check(`${hex}00`)).toThrow(StoreError);
    },
  );

  test.each([
    ["bin8", "c403010203"],
    ["bin16", "c50003010203"],
    ["bin32", "c600000003010203"],
  ])("accepts %s only where binary is allowed", (_, hex) => {
    expect(() => check(hex, { maxDepth: 1, binary: true })).not.toThrow();
    expect(() => check(hex)).toThrow("binary is not allowed at byte 0");
  });

  test.each([
    ["undefined (fixext1)", "d40000"],
    ["a record of msgpackr (fixext1 'r')", "d47240"],
    ["an error (ext8 'e')", "c70165c0"],
    ["a set (fixext1 's')", "d4730090"],
    ["a regular expression (ext8 'x')", "c7007892a161a0"],
    ["fixext2", "d5000000"],
    ["fixext4, a date", "d6ff00000000"],
    ["fixext8", "d7ff0000000000000000"],
    ["fixext16", `d800${"00".repeat(16)}`],
    ["ext16", "c800010000"],
    ["ext32", "c9000000010000"],
    ["the type that is never used", "c1"],
  ])("refuses %s", (_, hex) => {
    expect(() => check(hex)).toThrow(/^type 0x[0-9a-f]{2} is not allowed at byte 0$/);
    expect(() => check(`81a161${hex}`)).toThrow(/at byte 3$/);
  });

  test.each([
    ["an integer", "810101"],
    ["nil", "81c001"],
    ["an array", "819001"],
  ])("refuses a map whose key is %s", (_, hex) => {
    expect(() => check(hex)).toThrow("a key is not text at byte 1");
  });

  test("refuses lengths beyond the input before anybody allocates for them", () => {
    for (const hex of ["ddffffffff", "dfffffffff", "dbffffffff", "dcffff00", "deffffa0"]) {
      expect(() => check(hex)).toThrow(/it ends inside a/);
    }
  });

  test("allows the depth that was asked for and no more, however deep the input", () => {
    expect(() => check("9191919100")).not.toThrow();
    expect(() => check("919191919100")).toThrow("it is nested too deeply at byte 5");
    expect(() => check("91".repeat(1_000_000))).toThrow("it is nested too deeply");
  });

  test("answers random bytes with a StoreError or nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, binary) => {
        try {
          assertPlainMessagePack(bytes, { maxDepth: 8, binary });
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
