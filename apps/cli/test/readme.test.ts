import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { workspaceFolder } from "./support/pack.ts";
import { runCli } from "./support/run-cli.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("README's check prints what it says", async () => {
  const [, url = ""] = /^nodepass check '(.*)'$/m.exec(readme) ?? [];
  const [, printed = "nothing"] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const { code, stdout } = await runCli(["check", url]);
  expect(code).toBe(0);
  expect(stdout.startsWith(printed)).toBe(true);
});

it.each(["README.md", "apps/cli/README.md", "apps/master/README.md"])(
  "%s: its URLs are good, and check warns of none",
  async (path) => {
    const text = readFileSync(`${workspaceFolder}/${path}`, "utf8");
    const urls = Array.from(
      text.matchAll(/^nodepass(?:-master)? .*?["']((?:server|client|master):\/\/[^"']*)["']/gm),
      ([, url = ""]) => url.replace("$KEY", "x".repeat(32)),
    );
    expect(urls.length).toBeGreaterThan(0);
    for (const url of urls) {
      const report = JSON.parse((await runCli(["check", "--json", url])).stdout);
      expect({ url, ...report }).toMatchObject({ ok: true, warnings: [] });
    }
  },
);

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
