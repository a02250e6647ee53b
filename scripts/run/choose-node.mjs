import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { runNpm } from "./npm.mjs";
import { readStamp, root, writeStamp } from "./paths.mjs";
import { fail, isAtLeast, say } from "./say.mjs";

/** The oldest that the packages run on, as their `engines` say. */
const least = [22, 12];

/** From the registry where the project's own does not run: these need no libatomic. Newest first. */
const others = ["24.21.0", "22.23.3"];

/** Where every script of the workspace finds its Node first. */
const link = `${root}/node_modules/.bin/node`;

/**
 * The Node for everything that is not plain JavaScript: the project's own, else the one that this
 * was started with, else one from the registry; the first that runs. Says so once, if it is not the
 * project's own, and puts it where scripts look for it.
 *
 * @returns {Promise<{ path: string, version: string }>}
 */
export async function chooseNode() {
  const own = tryNode(link);
  // It may be a link to another one that was chosen before.
  if (own.version !== undefined) return { path: realpathSync(link), version: own.version };
  const chosen = usersNode() ?? (await registryNode());
  if (chosen === undefined) {
    fail(
      `no Node for this machine: ${own.problem}. Install Node ${least.join(".")} or newer${own.hint}`,
    );
  }
  const note = `Node ${chosen.version} (${chosen.path}), as the project's own does not run here: ${own.problem}`;
  if (readStamp("node") !== note) say(`using ${note}`);
  rmSync(link, { force: true });
  mkdirSync(`${root}/node_modules/.bin`, { recursive: true });
  symlinkSync(chosen.path, link);
  writeStamp("node", note);
  return chosen;
}

function usersNode() {
  const { node: version } = process.versions;
  return isAtLeast(version, least) ? { path: process.execPath, version } : undefined;
}

async function registryNode() {
  for (const version of others) {
    const path = await nodeOf(version);
    if (tryNode(path).version !== undefined) return { path, version };
  }
  return undefined;
}

/** The Node of a version, from the registry's package for this machine, kept in `.node/`. */
export async function nodeOf(version) {
  const folder = `${root}/.node/${version}`;
  const name = `node-${process.platform}-${process.arch}`;
  const binary = `${folder}/node_modules/${name}/bin/node`;
  if (!existsSync(binary)) {
    say(`getting Node ${version}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/package.json`, "{}");
    const flags = [
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      "--prefer-offline",
      "--prefix",
      folder,
    ];
    await runNpm(["install", ...flags, `${name}@${version}`]);
  }
  return binary;
}

/** Whether a Node runs here: its version, or what is in the way and what would help. */
function tryNode(path) {
  const { stdout, stderr, error } = spawnSync(path, ["--version"], { encoding: "utf8" });
  const [, version] = /^v(\d+\.\d+\.\d+)/.exec(stdout ?? "") ?? [];
  if (version !== undefined) return { version };
  const [missing] = /lib[\w.+-]+\.so[\w.]*/.exec(stderr ?? "") ?? [];
  if (missing !== undefined) {
    const name = missing.replace(/\.so\.?/, "");
    return {
      problem: `${missing} is missing`,
      hint: `, or that library (apt-get install ${name})`,
    };
  }
  const problem = error === undefined ? "it ends without its version" : "it is not for this system";
  return { problem, hint: "" };
}
