import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { metricsOption, refuseMetricsOfMaster } from "../metrics/metrics-option.ts";
import { type LogFormat, logFormatOption } from "../output/log-format.ts";
import { addUrlArgument, readUrlArgument, type UrlOptions } from "./url-argument.ts";

interface RunOptions extends UrlOptions {
  readonly logFormat: LogFormat;
  readonly metrics?: string | undefined;
}

/** Adds `nodepass run <url>`, which is what `nodepass <url>` is short for. */
export function addRunCommand(program: Command, context: CliContext): void {
  const run = program
    .command("run")
    .description(
      "run a server, a client, a master, or what files say, until it is stopped; before a URL the word run may be left out",
    );
  addUrlArgument(run, "server://, client:// or master://")
    .argument(
      "[files...]",
      "or YAML or JSON files and folders of them, read again when they change",
    )
    .addOption(metricsOption())
    .addOption(logFormatOption())
    .action(async (argument: string | undefined, more: string[], options: RunOptions) => {
      const { logFormat, metrics } = options;
      const { parse, parseEnvironment } = await import("@nodepass/url-config");
      const paths = argument === undefined ? more : [argument, ...more];
      const { isConfigPath } = await import("../files/is-config-path.ts");
      const [first] = paths;
      if (paths.length > 1 && paths.some((path) => path.includes("://"))) {
        throw new CliError("too many arguments: one URL alone, or files and folders", {
          exitCode: exitCodes.usage,
        });
      }
      if (first !== undefined && first !== "-" && (paths.length > 1 || isConfigPath(first))) {
        const { runFiles } = await import("../files/run-files.ts");
        const environment = parseEnvironment(context.environment);
        await runFiles(context, { paths, environment, logFormat, metrics });
        return;
      }
      const settings = parse(await readUrlArgument(context, argument, options));
      if (settings.scheme === "master") {
        refuseMetricsOfMaster(metrics);
        const { runMasterCommand } = await import("../master/run-master.ts");
        await runMasterCommand(context, { settings, logFormat });
      } else {
        const environment = parseEnvironment(context.environment);
        const { runTunnel } = await import("../tunnel/run-tunnel.ts");
        await runTunnel(context, { settings, environment, logFormat, metrics });
      }
    });
}
