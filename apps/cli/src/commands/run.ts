import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { type LogFormat, logFormatOption } from "../output/log-format.ts";

/** Adds `nodepass run <url>`, which is what `nodepass <url>` is short for. */
export function addRunCommand(program: Command, context: CliContext): void {
  program
    .command("run")
    .description(
      "run a server, a client or a master until it is stopped; the word run may be left out",
    )
    .argument("<url>", "server://, client:// or master:// URL")
    .addOption(logFormatOption())
    .action(async (url: string, { logFormat }: { readonly logFormat: LogFormat }) => {
      const { parse, parseEnvironment } = await import("@nodepass/url-config");
      const settings = parse(url);
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
