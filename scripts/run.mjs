// Entry of `npm start` and `npm test`: needs only Node 20 and npm.
// Installs with the pnpm named in package.json, then builds and starts or tests.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
const [task, ...given] = process.argv.slice(2);
// Without arguments: a master with a demonstration tunnel, its state in the checkout.
const args =
  task === "start" && given.length === 0 ? ["quickstart", "--state", `${root}/.state`] : given;
const env = { ...process.env, DO_NOT_TRACK: "1" };

function pnpm(...argv) {
  const { status } = spawnSync("npx", ["--yes", packageManager, ...argv], {
    cwd: root,
    env,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}

// A plain `npm install` leaves a tree that pnpm would mix with its own.
if (existsSync(`${root}/node_modules/.package-lock.json`)) {
  rmSync(`${root}/node_modules`, { recursive: true });
}
pnpm("install", "--frozen-lockfile");
if (task === "test") {
  pnpm("run", "verify", ...args);
} else {
  pnpm("run", "build", "--output-logs=errors-only");
  const node = `${root}/node_modules/.bin/node`;
  const app = spawn(node, [`${root}/apps/cli/dist/main.js`, ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => app.kill(signal));
  app.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
}
