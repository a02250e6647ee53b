// Entry of `npm start` and `npm test`: needs only Node 20 and npm.
// Installs with the pnpm named in package.json, then builds and starts or tests.
//
//   npm test                     everything, on the Node that the project brings
//   npm test -- --node 22.12.0   the tests, on another Node from the registry
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
const [task, ...given] = process.argv.slice(2);
// Without arguments: a master with a demonstration tunnel, its state in the checkout.
const args =
  task === "start" && given.length === 0 ? ["quickstart", "--state", `${root}/.state`] : given;
const env = { ...process.env, DO_NOT_TRACK: "1" };

function run(command, argv, more = {}) {
  const { status } = spawnSync(command, argv, {
    cwd: root,
    env: { ...env, ...more },
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}

function pnpm(...argv) {
  run("npx", ["--yes", packageManager, ...argv]);
}

// A plain `npm install` leaves a tree that pnpm would mix with its own.
if (existsSync(`${root}/node_modules/.package-lock.json`)) {
  rmSync(`${root}/node_modules`, { recursive: true });
}
/** The Node of a version, from the registry's package for this machine, kept in `.node/`. */
function nodeOf(version) {
  const folder = `${root}/.node/${version}`;
  const name = `node-${process.platform}-${process.arch}`;
  const binary = `${folder}/node_modules/${name}/bin/node`;
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/package.json`, "{}");
    run("npm", ["install", "--no-audit", "--no-fund", "--prefix", folder, `${name}@${version}`]);
  }
  return binary;
}

pnpm("install", "--frozen-lockfile");
if (task === "test" && args[0] === "--node" && args[1] !== undefined) {
  pnpm("run", "build", "--output-logs=errors-only");
  const node = nodeOf(args[1]);
  const tests = ["run", "--config", "vitest.workspace.ts", "--maxWorkers=2", ...args.slice(2)];
  const path = `${dirname(node)}${delimiter}${process.env.PATH}`;
  // Tests start TypeScript in child processes; Node before 22.18 has to be told that it may.
  const [major, minor] = args[1].split(".").map(Number);
  const old = major < 22 || (major === 22 && minor < 18);
  const more = old ? { NODE_OPTIONS: "--experimental-strip-types --no-warnings" } : {};
  run(node, [`${root}/node_modules/vitest/vitest.mjs`, ...tests], { PATH: path, ...more });
} else if (task === "test") {
  pnpm("run", "verify", ...args);
} else {
  pnpm("run", "build", "--output-logs=errors-only");
  const node = `${root}/node_modules/.bin/node`;
  const app = spawn(node, [`${root}/apps/cli/dist/main.js`, ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => app.kill(signal));
  app.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
}
