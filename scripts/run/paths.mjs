import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of the checkout, without a slash at its end. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");

/** `package.json` of the checkout. */
export const manifest = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));

/** Folders of the workspace's packages, from the root. */
export function packageFolders() {
  return ["packages", "apps"].flatMap((parent) =>
    readdirSync(`${root}/${parent}`)
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(`${root}/${folder}/package.json`)),
  );
}

/** Every file at a path of the checkout, from the root, in order; none if there is nothing. */
export function pathsOf(path) {
  const stats = statSync(`${root}/${path}`, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (!stats.isDirectory()) return [path];
  return readdirSync(`${root}/${path}`)
    .sort()
    .flatMap((name) => pathsOf(`${path}/${name}`));
}

/** One value for the contents of files; another one when any of them is changed, new or gone. */
export function hashContents(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    const content = readFileSync(`${root}/${path}`);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** The same by size and time of change, for files that nobody edits. */
export function hashTimes(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    const { size, mtimeMs } = statSync(`${root}/${path}`);
    hash.update(`${path}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest("hex");
}

// Inside node_modules: who removes that removes these.
const stamps = `${root}/node_modules/.nodepass`;

/** What was noted at the last run, `undefined` if nothing was. */
export function readStamp(name) {
  try {
    return readFileSync(`${stamps}/${name}`, "utf8");
  } catch {
    return undefined;
  }
}

/** Notes something for the next run. */
export function writeStamp(name, value) {
  mkdirSync(stamps, { recursive: true });
  writeFileSync(`${stamps}/${name}`, value);
}
