import { rm } from "node:fs/promises";
import { Readme } from "test-support/readme";
import { expect, it } from "vitest";

const readme = new Readme(import.meta.url);

it("README.md's example prints what it says, with the built package", async () => {
  // Its directory is told and removed; the rest is as printed.
  const { stdout, stderr } = await readme.runBuilt(
    `${readme.block("js")}console.error(directory);`,
  );
  await rm(stderr.trim(), { recursive: true });
  expect(stdout).toBe(readme.printed);
});

it("README.md names every option", () => {
  const options = readme.fieldsOf("manager-options.ts", "InstanceManagerOptions");
  expect(readme.untold(options)).toEqual([]);
});
