import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { runJob } from "./child.mjs";
import { manifest, readStamp, root, writeStamp } from "./paths.mjs";

/** The npm that this was started with, on the Node that it ran on; else the one on the path. */
const [command, ...first] = /npm-cli\.[cm]?js$/.test(process.env.npm_execpath ?? "")
  ? [process.env.npm_node_execpath ?? process.execPath, process.env.npm_execpath]
  : ["npm"];

/** Most time without a byte and most attempts: npm's own are five minutes and three, in silence. */
const patience = { npm_config_fetch_timeout: "60000", npm_config_fetch_retries: "1" };

let settings;

/**
 * The environment of everything that installs. npm finds its global settings beside the Node that
 * it runs on, and pnpm reads only the user's: who runs on another Node is told what the npm that
 * this was started with goes by.
 */
export function npmEnvironment() {
  settings ??= readSettings();
  return {
    ...patience,
    ...process.env,
    // The checkout's .npmrc keeps npm's own lines out of `npm start -- ls --json`; not its errors.
    npm_config_loglevel: "warn",
    npm_config_progress: "false",
    DO_NOT_TRACK: "1",
    // For tests that install with npm.
    NODEPASS_NPM: [command, ...first].join("\n"),
    ...settings,
  };
}

/** What it takes to reach a registry, as npm and as pnpm want to be told. */
function readSettings() {
  const { stdout } = spawnSync(command, [...first, "config", "list", "--json"], {
    cwd: root,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  let known = {};
  try {
    known = JSON.parse(stdout);
  } catch {
    // No npm, or none that answers: what is run next says so.
  }
  const result = {};
  const set = (value, ...names) => {
    const text = [value].flat().join(",");
    if (value === null || value === undefined || text === "") return;
    for (const name of names) result[name] ??= process.env[name] || text;
  };
  set(known.globalconfig, "npm_config_globalconfig");
  set(known.registry, "npm_config_registry", "pnpm_config_registry");
  set(known["strict-ssl"], "npm_config_strict_ssl", "pnpm_config_strict_ssl");
  // pnpm knows these by the names that everybody else knows them by.
  set(known.cafile, "npm_config_cafile", "NODE_EXTRA_CA_CERTS");
  set(known["https-proxy"], "npm_config_https_proxy", "HTTPS_PROXY");
  set(known.proxy, "npm_config_proxy", "HTTP_PROXY");
  set(known.noproxy, "npm_config_noproxy", "NO_PROXY");
  return result;
}

/** Runs npm. */
export function runNpm(argv) {
  return runJob(command, [...first, ...argv], npmEnvironment());
}

/**
 * Runs the pnpm that package.json names. npm gets it once and says where it is: asking again for
 * each step would take half a second, and a network where npm's cache has been cleaned.
 */
export async function runPnpm(argv, environment = npmEnvironment(), output = "stderr") {
  const known = readStamp("pnpm")?.split("\n");
  const path = known?.[0] === manifest.packageManager ? known[1] : undefined;
  if (path !== undefined && existsSync(path)) {
    // Turbo looks for it on the path.
    const PATH = `${dirname(path)}${delimiter}${environment.PATH}`;
    await runJob(path, argv, { ...environment, PATH }, output);
    return;
  }
  const exec = ["exec", "--yes", "--prefer-offline", "--package", manifest.packageManager];
  await runJob(command, [...first, ...exec, "--", "pnpm", ...argv], environment, output);
  const where = spawnSync(command, [...first, ...exec, "-c", "command -v pnpm"], {
    cwd: root,
    env: environment,
    encoding: "utf8",
  }).stdout.trim();
  if (where !== "") writeStamp("pnpm", `${manifest.packageManager}\n${where}`);
}
