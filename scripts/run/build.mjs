import { npmEnvironment, runPnpm } from "./npm.mjs";
import {
  hashContents,
  hashTimes,
  packageFolders,
  pathsOf,
  readStamp,
  writeStamp,
} from "./paths.mjs";
import { say } from "./say.mjs";

/** Builds the packages, unless neither the sources nor what was made of them has changed. */
export async function build() {
  const folders = packageFolders();
  const inputs = ["package.json", "pnpm-lock.yaml", "tsconfig.base.json", "turbo.json"].concat(
    folders.flatMap((folder) =>
      ["package.json", "tsconfig.json", "turbo.json", "vite.config.ts", "scripts", "src"].map(
        (name) => `${folder}/${name}`,
      ),
    ),
  );
  const sources = () => hashContents(inputs.flatMap(pathsOf).filter((path) => !isTest(path)));
  const outputs = () => hashTimes(folders.flatMap((folder) => pathsOf(`${folder}/dist`)));
  // Before the build: a source that is edited meanwhile is built at the next start.
  const before = sources();
  if (readStamp("built") === `${before} ${outputs()}`) return;
  say("building");
  await runPnpm(["run", "build", "--output-logs=errors-only"], npmEnvironment(), "failure");
  writeStamp("built", `${before} ${outputs()}`);
}

function isTest(path) {
  return path.endsWith(".test.ts");
}
