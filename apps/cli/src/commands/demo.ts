import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { type LogFormat, logFormatOption } from "../output/log-format.ts";
import { parsePort } from "./parse-port.ts";

/** Options of `nodepass demo`. */
interface DemoCommandOptions {
  readonly port: number;
  readonly logFormat: LogFormat;
}

/** Adds `nodepass demo`: a tunnel at work, all of it on this machine. */
export function addDemoCommand(program: Command, context: CliContext): void {
  program
    .command("demo")
    .description(
      "show a tunnel at work: a web server behind a server and a client, on this machine",
    )
    .option("--port <number>", "port to open in the browser; 0 takes a free one", parsePort, 0)
    .addOption(logFormatOption())
    .action(async (options: DemoCommandOptions) => {
      const { parseEnvironment } = await import("@nodepass/url-config");
      const environment = parseEnvironment(context.environment);
      const { runDemo } = await import("../demo/run-demo.ts");
      await runDemo(context, { ...options, environment });
    });
}
