import { readFileSync } from "node:fs";
import * as model from "@nodepass/model";
import * as schemas from "@nodepass/model/schemas";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("README's example prints what it says", () => {
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, printed = ""] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const lines: string[] = [];
  const console = { log: (...values: unknown[]) => lines.push(`${values.join(" ")}\n`) };
  const all = { ...model, ...schemas };
  const body = code.replace(/^import .*\n/gm, "");
  new Function(...Object.keys(all), "console", body)(...Object.values(all), console);
  expect(lines.join("")).toBe(printed);
});

test("README names every error code", () => {
  const source = readFileSync(new URL("../src/service-error.ts", import.meta.url), "utf8");
  const codes = [...source.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(5);
  for (const code of codes) expect(readme).toContain(`| \`${code}\` `);
});

test("nothing of it imports Node", () => {
  for (const file of ["counters", "instance", "service", "wire", "event-hub", "url-patterns"]) {
    expect(readFileSync(new URL(`../src/${file}.ts`, import.meta.url), "utf8")).not.toContain(
      "node:",
    );
  }
});
