import { exitCodes } from "./exit-code.ts";
import { errorLines } from "./output/error-lines.ts";
import { watchOutput } from "./output/watch-output.ts";
import { runCli } from "./program.ts";
import { watchStopRequests } from "./stop-requests.ts";

/** How long what is left open may hold up the end, in milliseconds. */
const lingerTimeoutMs = 1000;

/** Runs the command in this process: the only place that takes the process for what it is. */
export async function main(): Promise<void> {
  process.on("uncaughtException", (error) => {
    process.stderr.write(`nodepass: unexpected error: ${errorLines(error).join(" ")}\n`);
    process.exit(exitCodes.failure);
  });
  const output = watchOutput(process.stdout);
  watchOutput(process.stderr);

  process.exitCode = await runCli({
    argv: process.argv.slice(2),
    program: process.argv[1],
    environment: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    // Opened only by the few commands that read it.
    get stdin() {
      return process.stdin;
    },
    watchStop: (options) => watchStopRequests(process, output.closed, options),
    atExit: (restore) => {
      process.once("exit", restore);
      return () => process.off("exit", restore);
    },
  });
  // What was written last may fail only now.
  await new Promise((resolve) => process.stdout.write("", resolve));
  const failure = output.failure();
  if (failure !== undefined && process.exitCode === exitCodes.ok) {
    process.stderr.write(`nodepass: cannot write to standard output: ${failure.message}\n`);
    process.exitCode = exitCodes.failure;
  }
  setTimeout(() => process.exit(), lingerTimeoutMs).unref();
}
