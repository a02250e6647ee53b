import { describe, expect, test } from "vitest";
import { MAX_LOG_LINE, presentableLines } from "./log-line.ts";

const ESC = "\u001b";

describe("presentableLines", () => {
  test.each([31, 32, 33, 34, 35, 36, 37, 0])("keeps the colour %i", (code) => {
    const line = `a ${ESC}[${code}mINFO`;
    expect(presentableLines(line)).toEqual([line]);
  });

  test.each([
    [`${ESC}[2J${ESC}[1;31mx`, "x"],
    [`${ESC}]0;title\u0007x`, "x"],
    [`${ESC}]8;;http://e${ESC}\\x`, "x"],
    [`${ESC}cx`, "x"],
    [`${ESC}`, ""],
    ["\u009b31mx", "x"],
    [`${ESC}[38;5;1mx${ESC}[0m`, `x${ESC}[0m`],
    ["a\tb\u0000c\u0008", "a b c "],
    ["a\u202eb\u2028c", "a b c"],
  ])("takes out of %j what steers a terminal", (line, expected) => {
    expect(presentableLines(line)).toEqual([expected]);
  });

  test("leaves no character that opens or closes markup", () => {
    expect(presentableLines('<script>alert("x")</script> a->b')).toEqual([
      '‹script›alert("x")‹/script› a-›b',
    ]);
  });

  test("makes one entry of each line, without check points and empty ones", () => {
    expect(presentableLines("a\r\nb\rc\n\n  \nCHECK_POINT|MODE=1|PING=2ms\nd")).toEqual([
      "a",
      "b",
      "c",
      "d",
    ]);
    expect(presentableLines("EVENT CHECK_POINT|x")).toEqual([]);
    expect(presentableLines("my CHECK_POINTS")).toEqual(["my CHECK_POINTS"]);
  });

  test("cuts what is too long, and stops at 64 lines", () => {
    const [line = ""] = presentableLines("x".repeat(5000));
    expect(line).toHaveLength(MAX_LOG_LINE);
    expect(line.endsWith("x…")).toBe(true);
    expect(presentableLines("x\n".repeat(500))).toHaveLength(64);
  });
});
