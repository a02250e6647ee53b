import { spawn } from "node:child_process";
import { constants } from "node:os";
import { root } from "./paths.mjs";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a program to its end and ends as it does: with its exit code, or that of its signal.
 *
 * Every signal is passed on. A terminal and `kill` of a group have sent it to the program too, and
 * npm sends it here once more: the program takes the same signal within a second for one.
 */
export function runProgram(command, argv, environment) {
  const child = spawn(command, argv, { stdio: "inherit", env: environment });
  for (const signal of signals) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise(() => {
    child.on("error", (error) => {
      process.stderr.write(`nodepass: cannot run ${command}: ${error.message}\n`);
      process.exit(1);
    });
    child.on("exit", (code, signal) => process.exit(exitCode(code, signal)));
  });
}

/**
 * Runs a step of the preparation, or the tests, in a process group of its own, so that nothing of
 * it is left when this one ends. Ends this process if it fails.
 *
 * @param output where what it writes goes: "stderr" leaves standard output to the program that is
 *   started later, "failure" keeps it until the job fails
 */
export async function runJob(command, argv, environment, output = "stderr") {
  const grouped = process.platform !== "win32";
  const child = spawn(command, argv, {
    cwd: root,
    env: environment,
    detached: grouped,
    shell: !grouped,
    stdio:
      output === "failure"
        ? ["ignore", "pipe", "pipe"]
        : ["ignore", output === "stderr" ? 2 : 1, 2],
  });
  const kept = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => kept.push(data));
  const end = (signal) => {
    try {
      if (grouped) process.kill(-child.pid, signal);
      else child.kill(signal);
    } catch {
      // Nothing of it is left.
    }
  };
  let cut;
  const listeners = signals.map((signal) => {
    const listener = () => {
      cut = signal;
      end(signal);
    };
    process.on(signal, listener);
    return [signal, listener];
  });
  const [code, signal] = await new Promise((resolve) => {
    child.on("error", (error) => {
      process.stderr.write(`nodepass: cannot run ${command}: ${error.message}\n`);
      resolve([1]);
    });
    // Not at "close": a grandchild may hold the output open, and is ended next.
    child.on("exit", (...how) => setImmediate(resolve, how));
  });
  if (child.pid !== undefined) end("SIGTERM");
  if (cut === undefined && code !== 0) process.stderr.write(Buffer.concat(kept));
  if (cut !== undefined || code !== 0)
    process.exit(exitCode(cut === undefined ? code : null, cut ?? signal));
  for (const [name, listener] of listeners) process.off(name, listener);
}

function exitCode(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 0);
}
