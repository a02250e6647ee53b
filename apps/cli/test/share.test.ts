import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runCli } from "./support/run-cli.ts";

const app = fileURLToPath(new URL("..", import.meta.url));
const share = `${app}dist/share`;
const read = (path: string): string => readFileSync(`${share}/${path}`, "utf8");

it.each([
  ["bash", "bash-completion/completions/nodepass"],
  ["zsh", "zsh/site-functions/_nodepass"],
  ["fish", "fish/vendor_completions.d/nodepass.fish"],
])("brings the completion for %s that the command prints", async (shell, path) => {
  expect(read(path)).toBe((await runCli(["completion", shell])).stdout);
});

it("brings a manual page with every command and option of the help, which npm installs", async () => {
  const { man } = JSON.parse(readFileSync(`${app}package.json`, "utf8"));
  expect(man).toEqual(["./dist/share/man/man1/nodepass.1"]);
  const page = read("man/man1/nodepass.1").replaceAll("\\-", "-");
  const { stdout } = await runCli(["--help"]);
  const names = Array.from(
    stdout.matchAll(/^ {2}([a-z]+)(?:\|| {2}| [[<])/gm),
    ([, name = ""]) => name,
  );
  expect(names).toEqual(expect.arrayContaining(["run", "ls", "top", "key", "profile"]));
  for (const name of names) {
    expect(page).toContain(`.SS "nodepass ${name}`);
    const help = (await runCli(["help", name])).stdout;
    for (const [, option = ""] of help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)) {
      if (option !== "--help")
        expect([name, page]).toEqual([name, expect.stringContaining(option)]);
    }
  }
});

it("the manual page is without a fault", (context) => {
  const page = `${share}/man/man1/nodepass.1`;
  const groff = ["/usr/bin/groff", "/usr/local/bin/groff"].find((path) => existsSync(path));
  if (groff === undefined) {
    console.warn("left out: there is no groff here (Debian's package groff-base)");
    return context.skip();
  }
  const { stderr, stdout } = spawnSync(
    groff,
    ["-man", "-ww", "-K", "utf8", "-Tutf8", "-P-cbu", page],
    {
      encoding: "utf8",
    },
  );
  expect(stderr).toBe("");
  expect(stdout).toContain("--metrics <address>");
  expect(stdout).toContain("server://$KEY@:10101/:80?mode=1&tls=1");
});
