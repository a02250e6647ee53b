import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { addUrlArgument, readUrlArgument, type UrlOptions } from "./url-argument.ts";

/** Options of `nodepass check`. */
interface CheckCommandOptions extends UrlOptions {
  readonly json?: boolean;
  readonly showKey?: boolean;
}

/** Adds `nodepass check`: what a URL means, without running it. */
export function addCheckCommand(program: Command, context: CliContext): void {
  const check = program
    .command("check")
    .description(
      "say what a URL or a file means, every setting, and the command for the other end",
    );
  addUrlArgument(check, "server://, client:// or master://")
    .option("--show-key", "don't hide the key in the URLs that are printed")
    .option("--json", "print JSON")
    .action(async (argument: string | undefined, options: CheckCommandOptions) => {
      const { isConfigPath } = await import("../files/is-config-path.ts");
      if (argument !== undefined && argument !== "-" && isConfigPath(argument)) {
        const { checkFiles } = await import("../files/check-files.ts");
        return checkFiles(context, argument, options);
      }
      const { checkUrl } = await import("@nodepass/url-config");
      const { formatCheck, formatCheckJson } = await import("../output/format-check.ts");
      const { createStyle, hasColour } = await import("../output/colour.ts");
      const { commandName, keygenHint } = await import("../output/command-name.ts");
      const { CliError } = await import("../exit-code.ts");
      const url = await readUrlArgument(context, argument, options);
      const report = checkUrl(url, context.environment, {
        showKey: options.showKey,
        keygen: keygenHint(context.environment),
      });
      const style = createStyle(hasColour(context.stdout, context.environment));
      context.stdout.write(
        options.json === true
          ? formatCheckJson(report)
          : formatCheck(report, style, commandName(context.environment)),
      );
      // The report has said what is wrong.
      if (report.problems.length > 0) throw new CliError("");
    });
}
