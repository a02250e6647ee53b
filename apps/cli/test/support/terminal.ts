import {
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
  spawnSync,
} from "node:child_process";
import { once } from "node:events";
import { onTestFinished, vi } from "vitest";
import { mainPath } from "./run-cli.ts";

/** Whether there is a program that makes pseudo terminals (util-linux's `script`). */
export const hasTerminals =
  process.platform === "linux" && spawnSync("script", ["--version"]).stdout?.includes("util-linux");

/** A command at a terminal of its own. */
export interface TerminalRun {
  /** All that was written to the terminal. */
  output(): string;
  /** Types. */
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  signal(name: NodeJS.Signals): void;
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** The command's exit code, and whether the terminal's settings are what they were before. */
  ended(): Promise<{ readonly code: number; readonly isRestored: boolean }>;
}

// The shell stays, so that it can look at the terminal afterwards; the command gets its own pid.
const wrapper = `tty; stty rows 12 cols 90; stty -g
sh -c 'echo "pid $$"; exec "$@"' sh "$@"
echo "[code $?]"; stty -g`;

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Runs the built command at a terminal of 90 by 12 characters. */
export function startAtTerminal(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): TerminalRun {
  const words = ["sh", "-c", wrapper, "sh", process.execPath, mainPath, ...argv];
  const child: ChildProcessWithoutNullStreams = spawn(
    "script",
    ["-qec", words.map(quote).join(" "), "/dev/null"],
    { env: { PATH: process.env.PATH, TERM: "xterm", SHELL: "/bin/sh", ...environment } },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const find = (pattern: RegExp) => {
    const match = pattern.exec(output);
    if (match === null) throw new Error(`no ${pattern} in ${JSON.stringify(output.slice(-1500))}`);
    return match;
  };
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const closed = once(child, "close");
  const ended = async () => {
    await closed;
    const [, before = "none"] = find(/^([0-9a-f]+(?::[0-9a-f]+){20,})\r$/m);
    const [, code = "", after] = find(/\[code (\d+)\]\r\n([0-9a-f:]+)\r\n/);
    return { code: Number(code), isRestored: before === after };
  };
  return {
    output: () => output,
    type: (keys) => child.stdin.write(keys),
    resize: (columns, rows) => {
      const [, terminal = ""] = find(/^(\/dev\/\S+)\r$/m);
      execFileSync("stty", ["-F", terminal, "cols", String(columns), "rows", String(rows)]);
    },
    signal: (name) => {
      const [, pid = ""] = find(/^pid (\d+)\r$/m);
      process.kill(Number(pid), name);
    },
    waitFor: (pattern) => vi.waitFor(() => find(pattern), { timeout: 30_000, interval: 20 }),
    ended,
  };
}
