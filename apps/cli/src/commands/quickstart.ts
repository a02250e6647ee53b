import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { type LogFormat, logFormatOption } from "../output/log-format.ts";
import { parsePort } from "./parse-port.ts";

/** Options of `nodepass quickstart`. */
interface QuickstartOptions {
  readonly state: string;
  readonly port?: number;
  readonly logFormat: LogFormat;
}

/** Adds `nodepass quickstart`, which `npm start` runs: a master with a demonstration in it. */
export function addQuickstartCommand(program: Command, context: CliContext): void {
  program
    .command("quickstart", { hidden: true })
    .description("run a master on this machine, with a tunnel that carries a page")
    .requiredOption("--state <folder>", "where the master keeps its state; made if missing")
    .option("--port <number>", "port of the API; without, 9090 or a free one", parsePort)
    .addOption(logFormatOption())
    .action(async ({ state, port, logFormat }: QuickstartOptions) => {
      const { runQuickstart } = await import("../master/run-quickstart.ts");
      await runQuickstart(context, { stateDirectory: state, port, logFormat });
    });
}
