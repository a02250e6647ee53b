import { readFileSync } from "node:fs";
import { createLogger, formatCheckPoint, formatLogLine } from "@nodepass/logging";
import { expect, it } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("README's example prints what it says", () => {
  const [, code = "", printed = ""] =
    /```ts\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const body = code.replace(/^import .*\n/gm, "");
  const lines: string[] = [];
  const run = new Function("createLogger", "formatLogLine", "formatCheckPoint", "process", body);
  run(createLogger, formatLogLine, formatCheckPoint, {
    stdout: { isTTY: false, write: (line: string) => lines.push(line) },
  });
  expect(lines.join("")).toBe(printed);
});
