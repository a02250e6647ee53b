import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configJsonSchema, loadConfig } from "@nodepass/config-file";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("README's example prints what it says", () => {
  const [, code = "", printed = ""] =
    /```js\n([\s\S]*?)\n```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "nodepass-"));
  const lines: string[] = [];
  const run = new Function(
    "writeFileSync",
    "loadConfig",
    "console",
    code.replace(/^import .*\n/gm, ""),
  );
  // The example's files go into a folder of their own, which is no part of what it prints.
  const within = (name: string) => join(folder, name);
  run(
    (name: string, text: string) => writeFileSync(within(name), text),
    ([name]: [string], options?: object) => loadConfig([within(name)], options),
    { log: (...values: unknown[]) => lines.push(`${values.join(" ")}\n`) },
  );
  rmSync(folder, { recursive: true });
  expect(lines.join("").replaceAll(`${folder}/`, "")).toBe(printed);
});

test("the JSON Schema in docs is the one that is checked against", () => {
  const written = readFileSync(new URL("../../../docs/nodepass.schema.json", import.meta.url));
  expect(JSON.parse(written.toString())).toEqual(configJsonSchema());
});

test("README names every error code", () => {
  for (const code of ["CONFIG_UNREADABLE", "CONFIG_INVALID"]) {
    expect(readme).toContain(`| \`${code}\` `);
  }
});
