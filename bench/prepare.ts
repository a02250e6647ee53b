import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The command of this checkout. */
export const OUR_MAIN: string = join(ROOT, "apps/cli/dist/main.js");

/** Builds what is missing or out of date of our command. */
export function buildOurs(): void {
  run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", "apps/cli"], ROOT);
}

/**
 * Builds the load generator, which is written in Go so that it takes as little as possible of the
 * processors that the tunnels need.
 *
 * @returns its path
 * @throws {Error} if there is no Go
 */
export function buildLoad(): string {
  const folder = join(ROOT, "node_modules/.cache/nodepass-bench");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "load");
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
