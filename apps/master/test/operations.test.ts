import { execFile, execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { reservePort } from "test-support";
import { expect, it, onTestFinished, vi } from "vitest";
import { buildImageTree, plainEnvironment } from "./support/image-tree.ts";
import { ask, temporaryFolder } from "./support/run-master.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const page = readFileSync(join(root, "docs/operations.md"), "utf8");

/** The commands of a section, for a host. */
function commandsOf(title: string): string {
  const [, section = ""] = page.split(`\n## ${title}\n`);
  const [, commands = ""] =
    /^On a host[^\n]*(?:\n[^\n]+)*\n\n```sh\n([\s\S]*?)```/m.exec(section) ?? [];
  if (commands === "") throw new Error(`no commands under ${title}`);
  return commands;
}

// What the page takes for granted, doing the same for a master without systemd.
const programs = {
  sudo: 'exec "$@"',
  systemctl: `case $1 in
    start) setsid node "$HOME/opt/nodepass-master/dist/main.js" > "$HOME/log" 2>&1 < /dev/null & echo $! > "$HOME/pid" ;;
    stop) kill "$(cat "$HOME/pid")"; while kill -0 "$(cat "$HOME/pid")" 2> /dev/null; do sleep 0.05; done ;;
  esac`,
  "systemd-run": `while [ $# -gt 0 ]; do case $1 in
    -E) export "$2"; shift 2 ;; -p) shift 2 ;; -*) shift ;; *) break ;;
  esac; done; exec "$@"`,
};

it.runIf(process.platform === "linux")(
  "docs/operations.md: backup, restore, upgrade, rollback and a lost key do what it says",
  { timeout: 300_000 },
  async () => {
    const home = temporaryFolder();
    const bin = join(home, "bin");
    const state = join(home, "state");
    for (const folder of [bin, state, join(home, "opt")]) mkdirSync(folder);
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    await buildImageTree(join(home, "opt/nodepass-master"));
    const url = `http://127.0.0.1:${await reservePort()}/api`;
    const environment = {
      ...plainEnvironment(),
      HOME: home,
      PATH: `${bin}:${process.env.PATH}`,
      NP_MASTER_URL: url.replace("http:", "master:"),
      NP_STATE_DIR: state,
      NP_WORKERS: "1",
      // Tests may run in a container, where a new key goes into no log.
      NP_SHOW_KEY: "1",
    };
    const shell = async (commands: string) => {
      const here = commands
        .replaceAll("/var/lib/nodepass", state)
        .replaceAll("/opt/", `${home}/opt/`)
        .replaceAll("deploy/", `${root}deploy/`)
        .replaceAll("nodepass-backup", `${home}/nodepass-backup`);
      const options = { cwd: home, env: environment, maxBuffer: 2 ** 24 };
      return (await promisify(execFile)("sh", ["-euc", here], options)).stdout;
    };
    onTestFinished(() => {
      if (existsSync(join(home, "pid")))
        execFileSync("sh", [
          "-c",
          'kill -9 "$1" 2> /dev/null || :',
          "sh",
          readFileSync(join(home, "pid"), "utf8").trim(),
        ]);
    });
    const log = () => readFileSync(join(home, "log"), "utf8");
    const up = () => vi.waitFor(() => expect(log()).toContain("API docs: "), { timeout: 30_000 });
    const aliases = async (key: string) => {
      const { status, body } = await ask<{ alias: string; type: string }[]>(
        { url, key },
        "GET",
        "/instances",
      );
      return status === 200
        ? body.filter(({ type }) => type !== "").map(({ alias }) => alias)
        : status;
    };

    await shell("systemctl start nodepass-master");
    await up();
    const key = await vi.waitFor(() => {
      const [, found] = /API KEY: (\S+)\n/.exec(log()) ?? [];
      if (found === undefined) throw new Error(log());
      return found;
    });
    const create = (alias: string) =>
      ask({ url, key }, "POST", "/instances", {
        url: "client://127.0.0.1:0/127.0.0.1:1?mode=1",
        alias,
      });
    await create("kept");
    await shell(commandsOf("Backup"));
    await create("made after the backup");
    expect(await aliases(key)).toEqual(["kept", "made after the backup"]);

    await shell(commandsOf("Restore"));
    await up();
    expect(await aliases(key)).toEqual(["kept"]);

    await shell(commandsOf("Upgrade"));
    await up();
    expect(await aliases(key)).toEqual(["kept"]);
    expect(existsSync(join(home, "opt/nodepass-master.old"))).toBe(true);

    await shell(commandsOf("Rollback"));
    await up();
    expect(await aliases(key)).toEqual(["kept"]);

    const printed = await shell(commandsOf("A lost key"));
    const other = /^[0-9a-f]{32}$/m.exec(printed)?.[0] ?? "none";
    await up();
    expect(await aliases(key)).toBe(401);
    expect(await aliases(other)).toEqual(["kept"]);
    await shell("systemctl stop nodepass-master");
  },
);

it("what is deployed has this version, and files that are named are there", () => {
  const { version } = JSON.parse(readFileSync(join(root, "apps/master/package.json"), "utf8"));
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  for (const path of [
    "compose.yaml",
    "deploy/kubernetes/deployment.yaml",
    "deploy/kubernetes/renew-key/job.yaml",
  ]) {
    expect(read(path)).toMatch(
      new RegExp(`image: nodepass-master:${version.replaceAll(".", "\\.")}\n`),
    );
  }
  expect(read("deploy/kubernetes/image/kustomization.yaml")).toContain(`newTag: ${version}\n`);
  for (const folder of ["", "image/", "key/", "metrics/", "renew-key/", "tunnel-port/"]) {
    const text = read(`deploy/kubernetes/${folder}kustomization.yaml`);
    for (const [path] of text.matchAll(/[\w-]+\.yaml/g)) {
      expect(existsSync(join(root, "deploy/kubernetes", folder, path))).toBe(true);
    }
  }
  for (const [, path = ""] of `${page}${read("deploy/README.md")}`.matchAll(
    /(?<![\w/])(deploy\/[\w./-]+\.(?:yaml|sh|service))/g,
  )) {
    expect(existsSync(join(root, path))).toBe(true);
  }
});
