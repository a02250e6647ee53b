import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { printData } from "./print.ts";
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

describe("printData", () => {
  it.each(["json", "yaml"])(
    "prints the same value as %s, with nothing that a terminal obeys",
    async (output) => {
      const value = {
        "k\u202e": ["\x1b[2J", "plain", "\u009b31m", "Grüße\u2028", "\u007f: - #"],
        n: 1,
      };
      let text = "";
      const stdout = { write: (more: string) => (text += more) };
      await printData({ stdout } as unknown as Parameters<typeof printData>[0], value, { output });
      expect(text).toBe(plainText(text).replaceAll("\\u000a", "\n"));
      expect(output === "yaml" ? parse(text, { version: "1.1" }) : JSON.parse(text)).toEqual(value);
    },
  );
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
