import { readFileSync } from "node:fs";
import * as model from "@nodepass/model";
import * as schemas from "@nodepass/model/schemas";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  expect(await readme.run({ ...model, ...schemas })).toBe(readme.printed);
});

test("README names every error code", () => {
  expect(readme.untold(readme.codesOf("service-error.ts"))).toEqual([]);
});

test("nothing of it imports Node", () => {
  for (const file of ["counters", "instance", "service", "wire", "event-hub", "url-patterns"]) {
    expect(readFileSync(new URL(`../src/${file}.ts`, import.meta.url), "utf8")).not.toContain(
      "node:",
    );
  }
});
