import { readFileSync } from "node:fs";
import { runMaster } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";
import { built, temporaryFolder } from "./support/master.ts";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  const given = { dashboardFolder: built, stateDirectory: temporaryFolder() };
  expect(await readme.run({ ...given, runMaster, parseMasterUrl })).toBe(readme.printed);
});

test("the package says where its files are", async () => {
  const { dashboardFolder } = await import("@nodepass/dashboard");
  expect(readFileSync(new URL("index.html", dashboardFolder), "utf8")).toContain("NodePass");
});
