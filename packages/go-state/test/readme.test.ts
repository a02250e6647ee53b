import { readFile } from "node:fs/promises";
import { readGoState } from "@nodepass/go-state";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  const inPackage = (path: string) => readFile(`${readme.folder}${path}`);
  expect(await readme.run({ readFile: inPackage, readGoState })).toBe(readme.printed);
});

test("README names every error code", () => {
  expect(readme.untold(readme.codesOf("go-state-error.ts"))).toEqual([]);
});
