import { describe, expect, it } from "vitest";
import { createStyle, hasColour } from "./colour.ts";

const write = () => true;

describe("hasColour", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [undefined, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("with isTTY %s and %j is %s", (isTTY, environment, expected) => {
    expect(hasColour({ isTTY, write }, environment)).toBe(expected);
  });
});

describe("createStyle", () => {
  it("leaves text as it is without colours", () => {
    expect(createStyle(false).red("text")).toBe("text");
    expect(createStyle(true).red("text")).toBe("\x1b[31mtext\x1b[39m");
  });
});
