import { describe, expect, it } from "vitest";
import { logText, plainText } from "./terminal-text.ts";

describe("plainText", () => {
  it("shows controls instead of obeying them, and drops colours", () => {
    expect(plainText("a\x1b[2J\rb\nc\td\x1b[31mred\x1b[0m")).toBe(
      "a\\u001b[2J\\u000db\\u000ac dred",
    );
    expect(plainText("abc\u202edef\u009b")).toBe("abc\\u202edef\\u009b");
    expect(plainText("Grüße <b> 🚇")).toBe("Grüße <b> 🚇");
  });
});

describe("logText", () => {
  const line = "10:00 \x1b[32mINFO \x1b[0m  text\x1b]0;title\x07";

  it("keeps colours and nothing else, and ends them", () => {
    expect(logText(line, true)).toBe(
      "10:00 \x1b[32mINFO \x1b[0m  text\\u001b]0;title\\u0007\x1b[0m",
    );
  });

  it("keeps nothing for an output without colours", () => {
    expect(logText(line, false)).toBe("10:00 INFO   text\\u001b]0;title\\u0007");
  });
});
