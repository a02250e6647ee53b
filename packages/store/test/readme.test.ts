import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openStore } from "@nodepass/store";
import { expect, test } from "vitest";
import { decodeState } from "../src/decode-state.ts";
import { useScratchDirectories } from "./support/scratch-directory.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const scratch = useScratchDirectories();

test("README's example prints what it says and leaves its state on disk", async () => {
  const [, code = "", printed = ""] =
    /```ts\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const body = code.replace(/^import .*\n/gm, "");
  const directory = await scratch();
  const lines: string[] = [];
  const run = new Function(
    "openStore",
    "directory",
    "print",
    `return (async () => {${body}})();`,
  ) as (...values: unknown[]) => Promise<void>;
  await run(openStore, directory, (line: string) => lines.push(`${line}\n`));
  expect(lines.join("")).toBe(printed);
  const { state } = decodeState(await readFile(join(directory, "nodepass.msgpack")));
  expect(state.alias).toBe("gateway");
});

test("README names every error code", () => {
  const source = readFileSync(new URL("../src/store-error.ts", import.meta.url), "utf8");
  const codes = [...source.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(5);
  for (const code of codes) expect(readme).toContain(`| \`${code}\` `);
});
