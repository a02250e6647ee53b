import { Readme } from "test-support/readme";
import { expect, test } from "vitest";

const readme = new Readme(import.meta.url);

test("the README's example prints what it says, with the built package", async () => {
  const here = JSON.stringify(`file://${readme.folder}package.json`);
  const { stdout } = await readme.runBuilt(readme.block("js").replace("import.meta.url", here));
  expect(stdout).toBe(readme.printed);
});
