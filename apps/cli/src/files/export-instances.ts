import { writeFileSync } from "node:fs";
import { exportConfig } from "@nodepass/config-file";
import { toDesired } from "@nodepass/desired-state";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";

/** Options of `export`. */
export interface ExportOptions extends RemoteOptions {
  readonly toUrlList?: boolean | undefined;
  readonly to?: string | undefined;
}

/** Runs `nodepass export`: what `apply` and `run` read. */
export async function exportInstances(context: CliContext, options: ExportOptions): Promise<void> {
  const { client } = await openMaster(context, options);
  const instances = (await client.list()).map(toDesired);
  const text =
    options.toUrlList === true
      ? instances.map(({ url }) => `${url}\n`).join("")
      : exportConfig(instances, {
          json: options.output === "json" || (options.json === true && options.output !== "yaml"),
        });
  const { to } = options;
  if (to === undefined) {
    context.stdout.write(text);
    return;
  }
  try {
    // It holds the tunnels' keys.
    writeFileSync(to, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw new CliError(`can't write ${to}: ${error instanceof Error ? error.message : error}`);
  }
  context.stdout.write(`wrote ${instances.length} instances to ${to}\n`);
}
