import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Why this machine lets nobody make namespaces, or `undefined` if it does. */
export function namespacesMissing(): string | undefined {
  const { error, status, stderr } = spawnSync("unshare", ["-mn", "ip", "link", "set", "lo", "up"]);
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : String(stderr).trim();
}

/**
 * Runs a program of this folder in a mount and a network namespace of its own, after `setup`.
 *
 * @returns what it printed, a JSON value
 */
export async function runInNamespace(program: string, setup: string): Promise<unknown> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const script = `ip link set lo up && ${setup} && exec "$@"`;
  const words = ["-mn", "sh", "-c", script, "sh", process.execPath];
  const flags = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
  const child = spawn("unshare", [...words, ...flags, path], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "" },
    timeout: 50_000,
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (text) => {
    output += String(text);
  });
  child.stderr.on("data", (text) => {
    errors += String(text);
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} failed (${code}): ${errors}${output}`);
  return JSON.parse(output);
}
