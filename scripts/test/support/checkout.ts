import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout that the tests run in. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

const made = new Set(["node_modules", "dist", ".turbo", ".git", ".node", ".state", ".vitest"]);

/** Puts the sources into a folder as a fresh clone has them, without git. */
export function copySources(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const excluded = [...made].map((name) => `--exclude=${name}`);
  const archive = execFileSync("tar", ["-C", root, ...excluded, "-cf", "-", "."], {
    maxBuffer: 2 ** 28,
  });
  execFileSync("tar", ["-C", folder, "-xf", "-"], { input: archive });
}

/** A folder of this test file. @returns the folder, and what removes it */
export function temporaryFolder(name: string): [folder: string, remove: () => void] {
  const folder = mkdtempSync(join(tmpdir(), name));
  return [folder, () => rmSync(folder, { recursive: true, force: true })];
}

/** The npm of whoever started the tests, as the command and its first arguments. */
export function findNpm(): [command: string, ...first: string[]] {
  const [command = "npm", ...first] = (process.env.NODEPASS_NPM ?? "npm").split("\n");
  return [command, ...first];
}

/** The environment that somebody has at a prompt: without what npm, pnpm and tests add. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = /^npm_config_(?:registry|cache|userconfig|globalconfig)$/i;
  const foreign = /^(?:npm_|pnpm_|NP_|NODEPASS_|VITEST|NODE_OPTIONS|NODE_ENV|TURBO_|INIT_CWD)/i;
  return Object.fromEntries(
    Object.entries(process.env)
      .filter(([name]) => !foreign.test(name) || kept.test(name))
      .map(([name, value]) =>
        name === "PATH"
          ? [
              name,
              value
                ?.split(":")
                .filter((each) => !each.includes("node_modules"))
                .join(":"),
            ]
          : [name, value],
      ),
  );
}

/** A command that has ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; it is killed with all that it started after `limitMs`. */
export async function runToEnd(
  words: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; limitMs?: number },
): Promise<Ended> {
  const [command = "", ...argv] = words;
  const child = spawn(command, argv, { ...options, stdio: "pipe", detached: true });
  child.stdin.end();
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const timer = setTimeout(
    () => process.kill(-(child.pid ?? 0), "SIGKILL"),
    options.limitMs ?? 240_000,
  );
  const [code] = await once(child, "close");
  clearTimeout(timer);
  return { code, stdout, stderr };
}
