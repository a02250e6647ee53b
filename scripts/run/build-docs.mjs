import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { runJob } from "./child.mjs";
import { npmEnvironment, runPnpm } from "./npm.mjs";
import { root } from "./paths.mjs";
import { say } from "./say.mjs";

const folder = `${root}/docs`;

/** Builds the documents as a site. @param argv for `vitepress build`, such as `--outDir` */
export async function buildDocs(argv) {
  const flags = ["--frozen-lockfile", "--prefer-offline", "--trust-lockfile", "--loglevel=warn"];
  await runPnpm(["--dir", folder, "install", ...flags]);
  const require = createRequire(`${folder}/package.json`);
  const vitepress = join(dirname(require.resolve("vitepress/package.json")), "bin/vitepress.js");
  await runJob(
    process.execPath,
    [vitepress, "build", folder, ...argv],
    npmEnvironment(),
    "failure",
  );
  if (argv.length === 0) say("the site is in docs/.vitepress/dist");
}
