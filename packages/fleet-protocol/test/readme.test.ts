import * as everything from "@nodepass/fleet-protocol";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  expect(await readme.run(everything)).toBe(readme.printed);
});

test("README names every error code", () => {
  for (const path of ["seal/seal-error.ts", "setup-error.ts"]) {
    expect(readme.untold(readme.codesOf(path))).toEqual([]);
  }
});

test("README names no function that is not there", () => {
  const names = [...readme.text.matchAll(/`(?:new )?([a-zA-Z]+)\(/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(everything).toHaveProperty(name);
});
