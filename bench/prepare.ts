import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Build } from "./options.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache/nodepass-bench");
/** Of the sources of a release. */
const MOST_TREE_BYTES = 256 * 1024 * 1024;

/** The command of this checkout. */
export const OUR_MAIN: string = join(ROOT, "apps/cli/dist/main.js");

/** Builds what is missing or out of date of our command. */
export function buildOurs(): void {
  run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", "apps/cli"], ROOT);
  run(process.execPath, [join(ROOT, "apps/cli/scripts/bundle.mjs")], ROOT);
}

/**
 * Builds the last release, once, in a folder of its own: the commit that `bench/release.json` names.
 *
 * @throws {Error} if this is no checkout with its history, or a package can't be got
 */
export function buildRelease(): Build {
  const text = readFileSync(join(ROOT, "bench/release.json"), "utf8");
  const { name, commit }: { name: string; commit: string } = JSON.parse(text);
  const folder = join(CACHE, `release-${commit}`);
  const main = join(folder, "apps/cli/dist/main.js");
  if (existsSync(main)) return { name, main };
  console.error(`building ${name}, ${commit}`);
  mkdirSync(folder, { recursive: true });
  const tree = execFileSync("git", ["archive", "--format=tar", commit], {
    cwd: ROOT,
    maxBuffer: MOST_TREE_BYTES,
  });
  execFileSync("tar", ["-xf", "-"], { cwd: folder, input: tree });
  const { packageManager } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const pnpm = ["--yes", String(packageManager)];
  run("npx", [...pnpm, "install", "--frozen-lockfile", "--prefer-offline"], folder);
  run("npx", [...pnpm, "run", "build"], folder);
  return { name, main };
}

/**
 * Builds the load generator, which is written in Go so that it takes as little as possible of the
 * processors that the tunnels need.
 *
 * @returns its path
 * @throws {Error} if there is no Go
 */
export function buildLoad(): string {
  mkdirSync(CACHE, { recursive: true });
  const file = join(CACHE, "load");
  try {
    run("go", ["build", "-o", file, "."], join(ROOT, "bench/load"));
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Error(
      "the load generator is written in Go and `go` is not on the path: install Go 1.21 or newer " +
        "(Debian: apt-get install golang-go). Only this benchmark needs it.",
      { cause: error },
    );
  }
  return file;
}

function run(file: string, args: readonly string[], cwd: string): void {
  execFileSync(file, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
