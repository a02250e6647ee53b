import { createLogger, formatCheckPoint, formatLogLine } from "@nodepass/logging";
import { Readme } from "test-support/readme";
import { expect, it } from "vitest";

const readme = new Readme(import.meta.url);

it("README's example prints what it says", async () => {
  const lines: string[] = [];
  const stdout = { isTTY: false, write: (line: string) => lines.push(line) };
  await readme.run({ createLogger, formatLogLine, formatCheckPoint, process: { stdout } }, "ts");
  expect(lines.join("")).toBe(readme.printed);
});
