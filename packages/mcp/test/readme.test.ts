import { readFileSync } from "node:fs";
import * as sdk from "@modelcontextprotocol/client";
import * as masterClient from "@nodepass/master-client";
import * as mcp from "@nodepass/mcp";
import { expect, test } from "vitest";
import { startOldMaster } from "./support/old-master.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("README's example prints what it says", async () => {
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, printed = ""] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const { url, key } = await startOldMaster();
  const lines: string[] = [];
  const print = (...values: unknown[]) => lines.push(`${values.join(" ")}\n`);
  const { Client, InMemoryTransport } = sdk;
  const known = { ...masterClient, ...mcp, Client, InMemoryTransport, url, key, print };
  const body = code.replace(/^import .*\n/gm, "");
  const run = new Function(...Object.keys(known), `return (async () => {${body}})();`) as (
    ...values: unknown[]
  ) => Promise<void>;
  await run(...Object.values(known));
  expect(lines.join("")).toBe(printed);
});

test("README names every error code", () => {
  const source = readFileSync(new URL("../src/mcp-error.ts", import.meta.url), "utf8");
  const [, union = ""] = /type McpErrorCode = ([^;]*);/.exec(source) ?? [];
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(2);
  for (const code of codes) expect(readme).toContain(`| \`${code}\``);
});
