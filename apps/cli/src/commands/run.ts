import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { type LogFormat, logFormatOption } from "../output/log-format.ts";
import { addUrlArgument, readUrlArgument, type UrlOptions } from "./url-argument.ts";

interface RunOptions extends UrlOptions {
  readonly logFormat: LogFormat;
}

/** Adds `nodepass run <url>`, which is what `nodepass <url>` is short for. */
export function addRunCommand(program: Command, context: CliContext): void {
  const run = program
    .command("run")
    .description(
      "run a server, a client or a master until it is stopped; the word run may be left out",
    );
  addUrlArgument(run, "server://, client:// or master://")
    .addOption(logFormatOption())
    .action(async (argument: string | undefined, options: RunOptions) => {
      const { logFormat } = options;
      const { parse, parseEnvironment } = await import("@nodepass/url-config");
      const settings = parse(await readUrlArgument(context, argument, options));
      if (settings.scheme === "master") {
        const { runMasterCommand } = await import("../master/run-master.ts");
        await runMasterCommand(context, { settings, logFormat });
      } else {
        const environment = parseEnvironment(context.environment);
        const { runTunnel } = await import("../tunnel/run-tunnel.ts");
        await runTunnel(context, { settings, environment, logFormat });
      }
    });
}
