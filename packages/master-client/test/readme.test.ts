import { readFileSync } from "node:fs";
import * as client from "@nodepass/master-client";
import { expect, test } from "vitest";
import { startPlainMaster } from "./support/plain-master.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("README's example prints what it says", async () => {
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, printed = ""] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const { url, key } = await startPlainMaster();
  const lines: string[] = [];
  const print = (...values: unknown[]) => lines.push(`${values.join(" ")}\n`);
  const names = Object.keys(client);
  const body = code.replace(/^import .*\n/gm, "");
  const run = new Function(
    ...names,
    "url",
    "key",
    "print",
    `return (async () => {${body}})();`,
  ) as (...values: unknown[]) => Promise<void>;
  await run(...Object.values(client), url, key, print);
  expect(lines.join("")).toBe(printed);
});

test("README names every error code", () => {
  const source = readFileSync(new URL("../src/client-error.ts", import.meta.url), "utf8");
  const codes = [...source.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(4);
  for (const code of codes) expect(readme).toContain(`| \`${code}\``);
});
