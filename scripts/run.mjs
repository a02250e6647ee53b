// Entry of `npm start` and `npm test`: plain JavaScript for Node 20 and npm, with nothing installed.
// Installs and builds what has changed, on a Node that runs here, then starts or tests.
//
//   npm start                    a master with a demonstration tunnel
//   npm start -- <arguments>     what `nodepass <arguments>` does
//   npm test                     everything: lint, types, every test
//   npm test -- --node 22.12.0   the tests, on another Node from the registry
//   npm run pack:all             a tarball of each package, for plain npm
//   npm run docs                 the documents as a site, in docs/.vitepress/dist
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { build } from "./run/build.mjs";
import { buildDocs } from "./run/build-docs.mjs";
import { runJob, runProgram } from "./run/child.mjs";
import { chooseNode, nodeOf } from "./run/choose-node.mjs";
import { install } from "./run/install.mjs";
import { npmEnvironment, runPnpm } from "./run/npm.mjs";
import { pathsOf, root } from "./run/paths.mjs";
import { fail, isAtLeast, say } from "./run/say.mjs";

const [task, ...given] = process.argv.slice(2);
if (!isAtLeast(process.versions.node, [20, 0])) {
  fail(`this checkout needs Node 20 or newer to start, this is ${process.versions.node}`);
}
// A plain `npm install` leaves a tree that pnpm would mix with its own.
if (pathsOf("node_modules/.package-lock.json").length > 0) {
  rmSync(`${root}/node_modules`, { recursive: true });
}
// The site's tools are a workspace of their own.
if (task === "docs") {
  await buildDocs(given);
  process.exit();
}
await install();
const node = await chooseNode();
await build();

if (task === "start") {
  // Without arguments: a master with a demonstration tunnel, its state in the checkout.
  const args = given.length === 0 ? ["quickstart", "--state", `${root}/.state`] : given;
  // What hints tell people to type.
  const environment = { ...process.env, NODEPASS_COMMAND: "npm start --" };
  await runProgram(node.path, [`${root}/apps/cli/dist/main.js`, ...args], environment);
} else if (task === "pack") {
  // `npm pack` would leave `workspace:^` in the packages; pnpm puts versions there, and the licence.
  rmSync(`${root}/tarballs`, { recursive: true, force: true });
  const packages = ["--filter", "./packages/*", "--filter", "./apps/*"];
  const argv = [...packages, "--recursive", "pack", "--pack-destination", `${root}/tarballs`];
  await runPnpm(argv, npmEnvironment(), "failure");
  say("packed into tarballs/; to install the commands: npm install -g ./tarballs/*.tgz");
} else if (given[0] === "--node" && given[1] !== undefined) {
  const path = await nodeOf(given[1]);
  const tests = ["run", "--config", "vitest.workspace.ts", ...given.slice(2)];
  const vitest = [`${root}/node_modules/vitest/vitest.mjs`, ...tests];
  await runJob(path, vitest, testEnvironment(given[1], dirname(path)), "inherit");
} else {
  await runPnpm(["run", "verify", ...given], testEnvironment(node.version), "inherit");
}

/** Tests start TypeScript in child processes; Node before 22.18 has to be told that it may. */
function testEnvironment(version, folder) {
  const old = !isAtLeast(version, [22, 18]);
  return {
    ...npmEnvironment(),
    ...(old ? { NODE_OPTIONS: "--experimental-strip-types --no-warnings" } : {}),
    ...(folder === undefined ? {} : { PATH: `${folder}:${process.env.PATH}` }),
  };
}
