import { readFileSync } from "node:fs";
import { runMaster } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { expect, test } from "vitest";
import { built, temporaryFolder } from "./support/master.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("README's example prints what it says", async () => {
  const [, code = "", printed = ""] =
    /```js\n([\s\S]*?)\n```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const lines: string[] = [];
  const run = new Function(
    "dashboardFolder",
    "runMaster",
    "parseMasterUrl",
    "stateDirectory",
    "console",
    `return (async () => {${code.replace(/^import .*\n/gm, "")}})();`,
  ) as (...values: unknown[]) => Promise<void>;
  const log = (...values: unknown[]) => lines.push(`${values.join(" ")}\n`);
  await run(built, runMaster, parseMasterUrl, temporaryFolder(), { log });
  expect(lines.join("")).toBe(printed);
});

test("the package says where its files are", async () => {
  const { dashboardFolder } = await import("@nodepass/dashboard");
  expect(readFileSync(new URL("index.html", dashboardFolder), "utf8")).toContain("NodePass");
});
