import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const source = join(import.meta.dirname, "..");

/** What is given as the text of a log record, in every file: what stands behind the level. */
function texts(): string[] {
  const found: string[] = [];
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const code = readFileSync(join(source, name), "utf8");
    const call =
      /\.log(?:Limited|Rarely)?\(\s*"(?:debug|info|warn|error)",\s*("[^"]*"|`[^`]*`|[^,)]+)/g;
    for (const [, text = ""] of code.matchAll(call)) found.push(`${name}: ${text.trim()}`);
  }
  return found;
}

test("the text of a log record is fixed, and values are its fields", () => {
  const all = texts();
  expect(all.length).toBeGreaterThan(30);
  // A parameter that only passes on fixed texts; an error's message is none.
  const fixed = /: (?:".*"|message|reason|`[^$]*(?:\$\{(?:kind|why)\}[^$]*)?`)$/;
  expect(all.filter((text) => !fixed.test(text))).toEqual([]);
});
