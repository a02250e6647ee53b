import { readFileSync } from "node:fs";
import * as urlConfig from "@nodepass/url-config";
import { expect, it } from "vitest";
import * as masterServer from "../src/index.ts";
import { temporaryFolder } from "./support/start-master.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("README's example prints what it says", async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const modules: Readonly<Record<string, unknown>> = {
    "@nodepass/master-server": masterServer,
    "@nodepass/url-config": urlConfig,
  };
  const body = code.replace(/import (\{.*\}) from (".*");/g, "const $1 = modules[$2];");
  const lines: unknown[] = [];
  const run = new Function(
    ...["modules", "stateDirectory", "print"],
    `return (async () => {${body}})();`,
  );
  await run(modules, temporaryFolder(), (line: unknown) => lines.push(line));
  expect(lines).toEqual([
    expect.stringMatching(/^API URL: http:\/\/127\.0\.0\.1:\d+\/api$/),
    expect.stringMatching(/^API docs: http:\/\/127\.0\.0\.1:\d+\/api\/docs$/),
    expect.stringMatching(/^API KEY: [0-9a-f]{32}$/),
    201,
  ]);
});

it("README has the defaults of all limits", () => {
  for (const [name, value] of Object.entries(masterServer.DEFAULT_SERVER_LIMITS)) {
    expect(readme).toMatch(new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`));
  }
});

it("README names every error code", () => {
  const source = readFileSync(new URL("../src/master-server-error.ts", import.meta.url), "utf8");
  const codes = [...source.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(5);
  for (const code of codes) expect(readme).toContain(`| \`${code}\` `);
});
