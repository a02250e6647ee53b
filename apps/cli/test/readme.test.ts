import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
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

it.each([
  ...["README.md", "README.zh.md", "apps/cli/README.md", "apps/master/README.md"],
  ...["docs/metrics.md", "docs/zh/metrics.md"],
])("%s: its URLs are good, and check warns of none", async (path) => {
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
});

it.each(["README.md", "README.zh.md", "apps/cli/README.md"])(
  "%s: its file is good, and check warns of nothing in it",
  async (path) => {
    const text = readFileSync(`${workspaceFolder}/${path}`, "utf8");
    const files = Array.from(text.matchAll(/^```yaml\n([\s\S]*?)^```/gm), ([, file = ""]) => file);
    expect(files).toHaveLength(1);
    const folder = temporaryFolder();
    const file = join(folder, "nodepass.yaml");
    writeFileSync(file, files[0] ?? "");
    writeFileSync(join(folder, "db.key"), "x".repeat(32));
    const environment = { KEY: "x".repeat(32), WEB_KEY: "y".repeat(32) };
    const { code, stdout, stderr } = await runCli(["check", "--json", file], { environment });
    expect([code, stderr]).toEqual([0, ""]);
    const { tunnels } = JSON.parse(stdout) as { tunnels: { name: string; warnings: string[] }[] };
    expect(tunnels.length).toBeGreaterThan(1);
    for (const { name, warnings } of tunnels) expect([name, warnings]).toEqual([name, []]);
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

/** Blocks of code without what comments say. */
function codeOf(path: string): string[] {
  const text = readFileSync(`${workspaceFolder}/${path}`, "utf8");
  return Array.from(text.matchAll(/^```\w+\n([\s\S]*?)^```/gm), ([, code = ""]) =>
    code.replace(/ +# .*$/gm, ""),
  );
}

it("README.zh.md has the commands, the parameters and the defaults of README.md", () => {
  expect(codeOf("README.zh.md")).toEqual(codeOf("README.md"));
  const parameters = (path: string): string[] =>
    Array.from(
      readFileSync(`${workspaceFolder}/${path}`, "utf8").matchAll(
        /^\| (`[a-z]\w*`(?:, `\w+`)*) \| [^|]* \| ([^|]*) \|/gm,
      ),
      ([, names, value]) => `${names} ${value}`,
    );
  expect(parameters("README.md").length).toBeGreaterThan(15);
  expect(parameters("README.zh.md")).toEqual(parameters("README.md"));
});

it.each([
  ["docs/zh/deploy.md", "deploy/README.md"],
  ["docs/zh/metrics.md", "docs/metrics.md"],
])("%s has no command that %s has not", (translated, original) => {
  const known = codeOf(original).join("");
  const lines = codeOf(translated).flatMap((code) => code.split("\n"));
  expect(lines.filter((line) => !known.includes(line.trim()))).toEqual([]);
});

it("docs/zh/cli.md names commands and exit codes that there are", async () => {
  const text = readFileSync(`${workspaceFolder}/docs/zh/cli.md`, "utf8");
  const { stdout } = await runCli(["--help"]);
  const named = [...text.matchAll(/`nodepass ([a-z]+)\b/g)].map(([, name = ""]) => name);
  for (const name of named) expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
  const codes = (source: string) => [...source.matchAll(/^\| (\d) +\|/gm)].map(([, code]) => code);
  expect(codes(text)).toEqual(codes(readme));
});
