import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { runCli } from "./support/run-cli.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const commands = Array.from(
  readme.matchAll(/^nodepass (.*?)(?: +#.*)?$/gm),
  ([, line = ""]) => line,
);

it("README's check prints what it says", async () => {
  const [, url = ""] = /^nodepass check '(.*)'$/m.exec(readme) ?? [];
  const [, printed = "nothing"] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const { code, stdout } = await runCli(["check", url]);
  expect(code).toBe(0);
  expect(stdout.startsWith(printed)).toBe(true);
});

it("README's URLs are good", async () => {
  const urls = commands.flatMap((line) => /'(.*)'/.exec(line)?.[1] ?? []);
  expect(urls).toHaveLength(5);
  for (const url of urls) expect(await runCli(["check", url])).toMatchObject({ code: 0 });
});

it("README names every command that the help names", async () => {
  const { stdout } = await runCli(["--help"]);
  // `start`, `stop` and `restart` share a row.
  const names = Array.from(
    stdout.matchAll(/^ {2}([a-z]+)(?:\|| {2}| [[<])/gm),
    ([, name = ""]) => name,
  );
  expect(names).toEqual(expect.arrayContaining(["run", "ls", "top", "key", "profile", "help"]));
  for (const name of names) expect(readme).toMatch(new RegExp(`nodepass ${name}\\b|, \`${name}\``));
});
