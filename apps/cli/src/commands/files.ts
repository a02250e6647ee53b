import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { DesiredOptions } from "../files/desired-files.ts";
import type { ExportOptions } from "../files/export-instances.ts";
import { addRemoteOptions } from "../remote/remote-options.ts";

/** Adds `apply`, `diff`, `export` and `import`: a master or a fleet, and the files that describe it. */
export function addFileCommands(program: Command, context: CliContext): void {
  desired(
    program
      .command("apply")
      .description("make a master, or a fleet at its hub, what files say, and no more"),
  )
    .option("--dry-run", "only say what would be done, as diff does")
    .action(async (options: DesiredOptions) => {
      const { applyFiles, diffFiles } = await import("../files/desired-files.ts");
      await (options.dryRun === true ? diffFiles : applyFiles)(context, options);
    });

  desired(
    program
      .command("diff")
      .description("say what apply would do; exit code 6 if there is something"),
  ).action(async (options: DesiredOptions) => {
    const { diffFiles } = await import("../files/desired-files.ts");
    await diffFiles(context, options);
  });

  addRemoteOptions(
    program
      .command("export")
      .description("write a master's instances, or a fleet's services, as a file, keys included"),
  )
    .option("--to-url-list", "their URLs, one a line, for any NodePass")
    .option("--to <file>", "write to a new file that only you can read")
    .action(async (options: ExportOptions) => {
      const { exportInstances } = await import("../files/export-instances.ts");
      await exportInstances(context, options);
    });

  program
    .command("import")
    .description("begin a master's state with that of another: the Go program's file, or its API")
    .argument("[file]", "nodepass.gob of the Go program")
    .option("--from <url>", "a running master, ours or NodePass 1.x")
    .option("--key <key>", "its API key; better NP_API_KEY, others can see arguments")
    .option("--insecure", "trust any certificate of the master")
    .option("--json", "print JSON")
    .action(async (file: string | undefined, options) => {
      const { importMaster } = await import("../files/import-state.ts");
      await importMaster(context, file, options);
    });
}

function desired(command: Command): Command {
  return addRemoteOptions(command)
    .requiredOption("-f, --file <path...>", "a YAML or JSON file, or a folder of them")
    .option(
      "--owner <name>",
      "whose instances or services these are; default: the first file's name",
    )
    .option(
      "--prune",
      "remove what this owner brought and the files have no more; at a fleet with --owner",
    )
    .option("--adopt", "take over what has such an alias and was brought by no file");
}
