import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished, vi } from "vitest";

/** The built entry, as users run it. */
export const mainPath = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** How a command is run. */
export interface RunOptions {
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Working folder. @default this process's */
  readonly cwd?: string | undefined;
  /** Arguments for node itself. */
  readonly nodeArguments?: readonly string[] | undefined;
  /** The script or command to run instead of the built entry. */
  readonly entry?: string | undefined;
}

/** A command that has ended. */
export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits for a text on its standard output. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits for its end. */
  ended: Promise<RunResult>;
}

// Variables that change what is tested stay outside.
const { NO_COLOR: _no, FORCE_COLOR: _force, ...inherited } = process.env;
const cleanEnvironment = Object.fromEntries(
  Object.entries(inherited).filter(([name]) => !name.startsWith("NP_") && name !== "NODE_OPTIONS"),
);

/** Starts the built command; it is killed when the test ends before it. */
export function startCli(argv: readonly string[], options: RunOptions = {}): RunningCli {
  const { environment = {}, nodeArguments = [], entry = mainPath, cwd } = options;
  const child = spawn(process.execPath, [...nodeArguments, entry, ...argv], {
    // Tests may run in a container, where a new key is not shown.
    env: { ...cleanEnvironment, NP_SHOW_KEY: "1", ...environment },
    ...(cwd !== undefined && { cwd }),
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code, stdout, stderr }));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    waitFor: (pattern) =>
      vi.waitFor(
        () => {
          const match = pattern.exec(stdout);
          if (match === null)
            throw new Error(`no ${pattern} in …${stdout.slice(-1000)}\n${stderr}`);
          return match;
        },
        { timeout: 30_000, interval: 20 },
      ),
    ended,
  };
}

/** Runs the built command to its end. */
export function runCli(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { child, ended } = startCli(argv, options);
  child.stdin.end();
  return ended;
}
