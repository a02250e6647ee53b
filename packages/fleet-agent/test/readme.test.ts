import { readFileSync } from "node:fs";
import { fleetExtension } from "@nodepass/fleet-agent";
import { runMaster } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { findNatsServer } from "test-support/nats";
import { expect, test } from "vitest";
import { HonestHub } from "./support/honest-hub.ts";
import { temporaryFolder } from "./support/member.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test.skipIf(findNatsServer() === undefined)("README's example prints what it says", async () => {
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, printed = ""] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const closers: (() => unknown)[] = [];
  const hub = await HonestHub.start();
  closers.push(() => hub.close());
  try {
    const lines: string[] = [];
    const known = {
      fleetExtension,
      runMaster,
      parseMasterUrl,
      stateDirectory: temporaryFolder(closers),
      token: hub.token(),
      print: (...values: unknown[]) => lines.push(`${values.join(" ")}\n`),
    };
    const body = code.replace(/^import .*\n/gm, "");
    const run = new Function(...Object.keys(known), `return (async () => {${body}})();`) as (
      ...values: unknown[]
    ) => Promise<void>;
    await run(...Object.values(known));
    expect(lines.join("")).toBe(printed);
  } finally {
    for (const close of closers.reverse()) await close();
  }
});

test("README names every error code and the limits", () => {
  const source = readFileSync(new URL("../src/fleet-agent-error.ts", import.meta.url), "utf8");
  const codes = [...source.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(5);
  for (const code of codes) expect(readme).toContain(`| \`${code}\` |`);
  const ports = readFileSync(new URL("../src/parts/auto-ports.ts", import.meta.url), "utf8");
  const [, first = "", last = ""] = /first: ([\d_]+), last: ([\d_]+)/.exec(ports) ?? [];
  for (const port of [first, last]) expect(readme).toContain(port.replace("_", ""));
});
