import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { apply, instanceHost, plan } from "@nodepass/desired-state";
import { expect, test } from "vitest";
import { fakeHost } from "./fake-host.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("README's example prints what it says", async () => {
  const [, code = "", printed = ""] =
    /```js\n([\s\S]*?)\n```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const lines: string[] = [];
  const run = new Function(
    "apply",
    "instanceHost",
    "plan",
    "emptyMaster",
    "console",
    `return (async () => {${code.replace(/^import .*\n/gm, "")}})();`,
  ) as (...values: unknown[]) => Promise<void>;
  const log = (value: unknown) => lines.push(`${inspect(value)}\n`);
  await run(apply, instanceHost, plan, fakeHost, { log });
  expect(lines.join("")).toBe(printed);
});
