import { readFileSync } from "node:fs";
import * as everything from "@nodepass/fleet-protocol";
import { createBoxKeys, openBox, sessionContext } from "@nodepass/fleet-protocol";
import { expect, test } from "vitest";

const file = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const readme = file("README.md");

test("README's example prints what it says", () => {
  const [, code = "", printed = ""] =
    /```js\n([\s\S]*?)\n```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const lines: string[] = [];
  const body = code.replace(/^import .*\n/gm, "");
  const names = ["createBoxKeys", "openBox", "sessionContext", "console"];
  const log = (line: string) => lines.push(`${line}\n`);
  const run = new Function(...names, body) as (...values: unknown[]) => void;
  run(createBoxKeys, openBox, sessionContext, { log });
  expect(lines.join("")).toBe(printed);
});

test("README names every error code", () => {
  for (const path of ["src/seal/seal-error.ts", "src/setup-error.ts"]) {
    const [, union = ""] = /ErrorCode =([^;]*);/.exec(file(path)) ?? [];
    const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(2);
    for (const code of codes) expect(readme).toContain(`| \`${code}\` |`);
  }
});

test("README names no function that is not there", () => {
  const names = [...readme.matchAll(/`(?:new )?([a-zA-Z]+)\(/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(everything).toHaveProperty(name);
});
