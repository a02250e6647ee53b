import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { findNpm, plainEnvironment } from "./checkout.ts";

const has = (...words: string[]) =>
  spawnSync(words[0] ?? "", words.slice(1), { stdio: "ignore" }).status === 0;

/** What keeps a bare root from being made here, `undefined` if nothing does. */
export function whyNoRoot(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  if (!has("mmdebstrap", "--version")) return "mmdebstrap is missing (apt-get install mmdebstrap)";
  if (!has("unshare", "--mount", "--pid", "--fork", "true"))
    return "unshare may not make namespaces";
  return undefined;
}

/** What keeps an image from being built here, `undefined` if nothing does. */
export function whyNoImage(): string | undefined {
  return has("buildah", "--version") ? whyNoRoot() : "buildah is missing (apt-get install buildah)";
}

/** Makes Debian's smallest root, with the certificates that a registry needs. */
export function makeBase(archive: string): void {
  const argv = ["--variant=minbase", "--include=ca-certificates", "--quiet", "bookworm", archive];
  // What is thrown away in minutes need not be on the disk, file by file.
  argv.unshift("--dpkgopt=force-unsafe-io");
  const { status, stderr } = spawnSync("mmdebstrap", argv, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mmdebstrap: ${stderr}`);
}

/** Puts a Node, the npm of this machine and its way to the registry into a root. */
export function addNode(root: string, node: string): void {
  const npm = findNpmFolder();
  mkdirSync(join(root, "usr/local/bin"), { recursive: true });
  mkdirSync(join(root, "usr/local/etc"), { recursive: true });
  cpSync(realpathSync(node), join(root, "usr/local/bin/node"));
  cpSync(npm, join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "usr/local/bin", name));
  }
  const settings = readSettings();
  const lines = ["registry", "https-proxy", "proxy", "noproxy"].flatMap((name) => {
    const text = [settings[name]].flat().join(",");
    return text === "" ? [] : [`${name}=${text}`];
  });
  if (typeof settings.cafile === "string" && existsSync(settings.cafile)) {
    mkdirSync(join(root, "etc/ssl"), { recursive: true });
    cpSync(realpathSync(settings.cafile), join(root, "etc/ssl/registry.crt"));
    lines.push("cafile=/etc/ssl/registry.crt");
  }
  // Global settings, of this npm only: whoever runs under another Node has to be told.
  writeFileSync(join(root, "usr/local/etc/npmrc"), `${lines.join("\n")}\n`);
}

/** Adds the libraries that a Node needs and Debian's smallest root lacks, such as libatomic. */
export function addLibraries(root: string, node: string): void {
  const { stdout } = spawnSync("ldd", [realpathSync(node)], { encoding: "utf8" });
  const [path] = /\S+libatomic\.so\.1/.exec(stdout) ?? [];
  if (path === undefined) return;
  // `/lib` is a link to `/usr/lib` there, and has to stay one.
  const place = join(root, path.startsWith("/usr/") ? path : `/usr${path}`);
  mkdirSync(dirname(place), { recursive: true });
  cpSync(realpathSync(path), place);
}

/** Gets a Node of another version from the registry. @returns its path */
export function getNode(version: string, folder: string): string {
  const name = `node-linux-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const [command, ...first] = findNpm();
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--prefix", folder];
  execFileSync(command, [...first, "install", ...flags, `${name}@${version}`], {
    env: plainEnvironment(),
    stdio: "pipe",
  });
  return join(folder, "node_modules", name, "bin/node");
}

/** The words that run a shell command in a root, in namespaces of its own and no environment. */
export function inRoot(root: string, script: string): string[] {
  for (const name of ["etc/resolv.conf", "etc/hosts"]) {
    rmSync(join(root, name), { force: true });
    if (existsSync(`/${name}`)) cpSync(realpathSync(`/${name}`), join(root, name));
  }
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child", `--mount-proc=${root}/proc`];
  const environment = ["-i", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root"];
  const shell = ["chroot", root, "/usr/bin/env", ...environment, "sh", "-c", script];
  return ["unshare", ...namespaces, ...shell];
}

/** Removes a folder with roots in it, after whatever is still mounted there; nothing of a mount goes. */
export function removeRoot(folder: string): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.reverse()) spawnSync("umount", [path]);
  spawnSync("rm", ["-rf", "--one-file-system", folder]);
}

function findNpmFolder(): string {
  const [command, cli] = findNpm();
  const path =
    cli ??
    execFileSync("sh", ["-c", 'command -v "$1"', "sh", command], {
      encoding: "utf8",
      env: plainEnvironment(),
    }).trim();
  return dirname(dirname(realpathSync(path)));
}

function readSettings(): Readonly<Record<string, unknown>> {
  const [command, ...first] = findNpm();
  const text = execFileSync(command, [...first, "config", "list", "--json"], {
    encoding: "utf8",
    env: plainEnvironment(),
  });
  return JSON.parse(text);
}
