import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished, vi } from "vitest";

/** The built entry, as users run it. */
export const mainPath = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** How the command is run. */
export interface RunOptions {
  /** @default [] */
  readonly argv?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Arguments for node itself. */
  readonly nodeArguments?: readonly string[] | undefined;
  /** @default the built entry of this checkout */
  readonly entry?: string | undefined;
  readonly uid?: number | undefined;
}

/** A command that has ended. */
export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly ended: Promise<RunResult>;
  /** Waits for a text on its standard output; fails when the command ends without it. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
}

/** A folder that is gone when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "np-master-app-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// Variables that change what is tested stay outside.
const { NO_COLOR: _no, FORCE_COLOR: _force, NODE_OPTIONS: _options, ...inherited } = process.env;
const cleanEnvironment = Object.fromEntries(
  Object.entries(inherited).filter(([name]) => !name.startsWith("NP_") && !name.startsWith("XDG_")),
);

/** Starts the built command; it is killed when the test ends before it. */
export function startCommand(options: RunOptions = {}): RunningCommand {
  const { argv = [], environment = {}, nodeArguments = [], entry = mainPath, uid } = options;
  const child = spawn(process.execPath, [...nodeArguments, entry, ...argv], {
    env: { ...cleanEnvironment, NP_SHOW_KEY: "1", ...environment },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let stdout = "";
  let stderr = "";
  let hasEnded = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code]) => {
    hasEnded = true;
    return { code, stdout, stderr };
  });
  const waitFor = (pattern: RegExp) =>
    vi.waitUntil(
      () => {
        const match = pattern.exec(stdout);
        if (match === null && hasEnded) throw new Error(`ended without ${pattern}: ${stderr}`);
        return match;
      },
      { timeout: 30_000, interval: 10 },
    );
  return { child, stdout: () => stdout, ended, waitFor };
}

/** Runs the built command to its end. */
export function runCommand(options: RunOptions): Promise<RunResult> {
  return startCommand(options).ended;
}

/** A master in a process of its own. */
export interface MasterProcess extends RunningCommand {
  /** URL of its API. */
  readonly url: string;
  /** The key that it printed; empty if it is not its first start. */
  readonly key: string;
}

/** Starts a master on a free port of loopback and waits until it answers. */
export async function startMaster(
  stateDirectory: string,
  { url = "master://127.0.0.1:0", ...options }: RunOptions & { readonly url?: string } = {},
): Promise<MasterProcess> {
  const command = startCommand({
    ...options,
    argv: [url],
    environment: { NP_STATE_DIR: stateDirectory, NP_WORKERS: "1", ...options.environment },
  });
  // The last line of the announcement is there when the one about the documents is whole.
  await command.waitFor(/^API docs: .*\n(?:Dashboard: .*\n)?(?:API KEY: .*\n)?/m);
  const [, apiUrl = ""] = await command.waitFor(/^API URL: (.*)\n/m);
  const key = /^API KEY: (.*)\n/m.exec(command.stdout())?.[1] ?? "";
  return { ...command, url: apiUrl, key };
}

/** Asks a master; the body is JSON both ways. */
export async function ask<T = unknown>(
  { url, key }: { readonly url: string; readonly key: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: T }> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { "X-API-Key": key },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}
