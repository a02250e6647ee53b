import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configJsonSchema, loadConfig } from "@nodepass/config-file";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-"));
  // The example's files go into a folder of their own, which is no part of what it prints.
  const within = (name: string) => join(folder, name);
  const printed = await readme.run({
    writeFileSync: (name: string, text: string) => writeFileSync(within(name), text),
    loadConfig: ([name]: [string], options?: object) => loadConfig([within(name)], options),
  });
  rmSync(folder, { recursive: true });
  expect(printed.replaceAll(`${folder}/`, "")).toBe(readme.printed);
});

test("the JSON Schema in docs is the one that is checked against", () => {
  const written = readFileSync(new URL("../../../docs/nodepass.schema.json", import.meta.url));
  expect(JSON.parse(written.toString())).toEqual(configJsonSchema());
});

test("README names every error code", () => {
  expect(readme.untold(readme.codesOf("config-file-error.ts"))).toEqual([]);
});
