import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { reservePort } from "test-support";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { buildImageTree, plainEnvironment } from "./support/image-tree.ts";
import { ask, temporaryFolder } from "./support/run-master.ts";
import { tryImageTree } from "./support/try-image-tree.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const page = readFileSync(join(root, "docs/operations.md"), "utf8");

/** The commands of a section, for a host; `which` where there is more than one. */
function commandsOf(title: string, which = ""): string {
  const [, rest = ""] = page.split(`\n## ${title}\n`);
  const [section = ""] = rest.split("\n## ");
  const blocks = Array.from(
    section.matchAll(/On a host([^\n]*(?:\n[^\n]+)*)\n\n```sh\n([\s\S]*?)```/g),
  );
  const [, , commands = ""] = blocks.find(([, words = ""]) => words.includes(which)) ?? [];
  if (commands === "") throw new Error(`no commands under ${title}`);
  return commands;
}

// What the page takes for granted, doing the same for a master without systemd.
const programs = {
  sudo: 'exec "$@"',
  systemctl: `case "$1 $2" in
    start*|"enable --now") : > "$HOME/log"; setsid node "$HOME/opt/nodepass-master/dist/main.js" > "$HOME/log" 2>&1 < /dev/null & echo $! > "$HOME/pid" ;;
    disable*) touch "$HOME/disabled" ;;
    stop*) kill "$(cat "$HOME/pid")"; while kill -0 "$(cat "$HOME/pid")" 2> /dev/null; do sleep 0.05; done; rm "$HOME/pid" ;;
  esac`,
  "systemd-run": `while [ $# -gt 0 ]; do case $1 in
    -E) export "$2"; shift 2 ;; -p) shift 2 ;; -*) shift ;; *) break ;;
  esac; done; exec "$@"`,
};

/** A machine as the page sees it: `sh` runs its commands, on folders of its own below `home`. */
function makeHost(home: string, url: string, carried: string) {
  const bin = join(home, "bin");
  const state = join(home, "state");
  for (const folder of [bin, join(home, "opt")]) mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
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
  return {
    state,
    log,
    shell: async (commands: string) => {
      const here = commands
        .replaceAll("/var/lib/nodepass", state)
        .replaceAll("/opt/", `${home}/opt/`)
        .replaceAll("deploy/", `${root}deploy/`)
        .replaceAll(/nodepass-(?:backup|moved)/g, `${carried}/$&`);
      const options = { cwd: home, env: environment, maxBuffer: 2 ** 24 };
      return (await promisify(execFile)("sh", ["-euc", here], options)).stdout;
    },
    up: () => vi.waitFor(() => expect(log()).toContain("API docs: "), { timeout: 30_000 }),
    list: async (key: string) => {
      const { status, body } = await ask<{ id: string; alias: string; type: string }[]>(
        { url, key },
        "GET",
        "/instances",
      );
      return status === 200 ? body.filter(({ type }) => type !== "") : status;
    },
  };
}

// Without POSIX there are neither the shell of the script nor the modes of the files.
const isPosix = process.platform !== "win32";
const timeout = 300_000;
/** Built once: each test takes a copy. */
const built = mkdtempSync(join(tmpdir(), "nodepass-tree-"));
beforeAll(() => (isPosix ? buildImageTree(built) : undefined), timeout);
afterAll(() => rmSync(built, { recursive: true, force: true }));

function copyTree(folder: string): string {
  cpSync(built, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

it.runIf(isPosix)(
  "what the image holds runs as another user on a read-only tree",
  { timeout },
  () => tryImageTree(copyTree(join(temporaryFolder(), "app"))),
);

it.runIf(process.platform === "linux")(
  "docs/operations.md: backup, restore, upgrade, rollback, a lost key and a move do what it says",
  { timeout },
  async () => {
    const carried = temporaryFolder();
    const home = temporaryFolder();
    const url = `http://127.0.0.1:${await reservePort()}/api`;
    const host = makeHost(home, url, carried);
    const { shell, up, log, list } = host;
    mkdirSync(host.state);
    copyTree(join(home, "opt/nodepass-master"));
    const aliases = async (key: string) => {
      const found = await list(key);
      return typeof found === "number" ? found : found.map(({ alias }) => alias);
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

    const before = await list(other);
    expect(before).toMatchObject([{ id: expect.stringMatching(/^[0-9a-f]{8}$/), alias: "kept" }]);
    await shell(commandsOf("Moving a master", "the old one"));
    await expect(list(other)).rejects.toThrow("fetch failed");
    expect(existsSync(join(home, "disabled"))).toBe(true);
    const elsewhere = temporaryFolder();
    const address = `http://127.0.0.1:${await reservePort()}/api`;
    const next = makeHost(elsewhere, address, carried);
    symlinkSync(join(home, "opt/nodepass-master"), join(elsewhere, "opt/nodepass-master"));
    // Nothing of the old machine but the archive is there.
    renameSync(host.state, `${host.state}.gone`);
    await next.shell(commandsOf("Moving a master", "the new one"));
    await next.up();
    expect(next.log()).not.toContain("API KEY");
    expect(identify(await next.list(other))).toEqual(identify(before));
    await next.shell("systemctl stop nodepass-master");
  },
);

/** What others know an instance by. */
function identify(found: number | readonly { readonly id: string; readonly alias: string }[]) {
  return typeof found === "number" ? found : found.map(({ id, alias }) => [id, alias]);
}

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
  for (const folder of [
    "",
    "config/",
    "image/",
    "key/",
    "metrics/",
    "renew-key/",
    "tunnel-port/",
  ]) {
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
