import { readFileSync } from "node:fs";
import * as metrics from "@nodepass/metrics";
import { NO_COUNTERS } from "@nodepass/model";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("README's example prints what it says", async () => {
  const [, code = "", printed = ""] =
    /```js\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const lines: string[] = [];
  const given = {
    ...metrics,
    NO_COUNTERS,
    console: { log: (line: string) => lines.push(line), error: console.error },
  };
  const body = code.replace(/^import .*\n/gm, "");
  const run = new Function(...Object.keys(given), `return (async () => {${body}})()`);
  await run(...Object.values(given));
  expect(`${lines.join("\n")}\n`).toBe(printed);
});
