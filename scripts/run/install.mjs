import { existsSync, readFileSync } from "node:fs";
import { runPnpm } from "./npm.mjs";
import { hashContents, packageFolders, pathsOf, readStamp, root, writeStamp } from "./paths.mjs";
import { say } from "./say.mjs";

/** Installs what the lockfile says, unless that has been done. */
export async function install() {
  const folders = packageFolders();
  const inputs = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"].concat(
    folders.map((folder) => `${folder}/package.json`),
  );
  const wanted = `${process.platform} ${process.arch} ${hashContents(inputs.flatMap(pathsOf))}`;
  if (readStamp("installed") === wanted && isComplete(folders)) return;
  const first = !existsSync(`${root}/node_modules`);
  say(`installing${first ? "; the first time this takes half a minute" : ""}`);
  const watch = setInterval(() => say("still installing"), 30_000);
  // The lockfile was checked when it was made, and has the hash of everything: asking the registry
  // about each entry again would take a network for what is all here.
  const flags = ["--frozen-lockfile", "--prefer-offline", "--trust-lockfile", "--loglevel=warn"];
  const limits = ["--config.fetch-retries=1", "--config.fetch-timeout=60000"];
  await runPnpm(["install", ...flags, ...limits]);
  clearInterval(watch);
  writeStamp("installed", wanted);
}

/** Whether nobody has removed the folders since. */
function isComplete(folders) {
  return folders
    .filter((folder) => {
      const { dependencies = {} } = JSON.parse(readFileSync(`${root}/${folder}/package.json`));
      return Object.keys(dependencies).length > 0;
    })
    .every((folder) => existsSync(`${root}/${folder}/node_modules`));
}
