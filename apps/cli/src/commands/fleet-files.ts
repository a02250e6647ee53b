import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";

/** Options of `fleet export`. */
export interface FleetExportOptions extends RemoteOptions {
  readonly to?: string | undefined;
  readonly nodepassdash?: boolean | undefined;
}

/** Adds `export` and `import`. */
export function addFleetFiles(fleet: Command, context: CliContext): void {
  addRemoteOptions(
    fleet.command("export").description("write all services as a signed file, keys included"),
  )
    .option("--to <file>", "write to a new file that only you can read")
    .option(
      "--nodepassdash",
      "in place of that the file with which NodePassDash imports the masters",
    )
    .action(async (options: FleetExportOptions) => {
      const { exportFleet } = await import("../fleet/transfer.ts");
      await exportFleet(context, options);
    });

  addRemoteOptions(
    fleet.command("import").description("make what an export has and the fleet has not"),
  )
    .argument("<file>", "an export; - reads standard input")
    .action(async (file: string, options: RemoteOptions) => {
      const { importFleet } = await import("../fleet/transfer.ts");
      await importFleet(context, file, options);
    });
}
