import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readGoState } from "@nodepass/go-state";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("README's example prints what it says", async () => {
  const [, code = "", printed = ""] =
    /```js\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const lines: string[] = [];
  const run = new Function(
    "readFile",
    "readGoState",
    "console",
    `return (async () => {${code.replace(/^import .*\n/gm, "")}})();`,
  ) as (...values: unknown[]) => Promise<void>;
  const inPackage = (path: string) =>
    readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)));
  const log = (...values: unknown[]) => lines.push(`${values.join(" ")}\n`);
  await run(inPackage, readGoState, { log });
  expect(lines.join("")).toBe(printed);
});

test("README names every error code", () => {
  const source = readFileSync(new URL("../src/go-state-error.ts", import.meta.url), "utf8");
  const codes = [...source.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code);
  expect(codes).toHaveLength(3);
  for (const code of codes) expect(readme).toContain(`| \`${code}\` `);
});
