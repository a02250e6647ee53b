import { writeFileSync } from "node:fs";
import { type ExportedInstance, type ExportedService, exportConfig } from "@nodepass/config-file";
import { toDesired } from "@nodepass/desired-state";
import type { FleetClient } from "@nodepass/master-client/fleet";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { openTarget } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";

/** Options of `export`. */
export interface ExportOptions extends RemoteOptions {
  readonly toUrlList?: boolean | undefined;
  readonly to?: string | undefined;
}

/** Runs `nodepass export`: what `apply` and `run` read. */
export async function exportInstances(context: CliContext, options: ExportOptions): Promise<void> {
  const target = await openTarget(context, options);
  const { what, entries, urls } =
    "fleet" in target
      ? await readFleet(target.fleet)
      : {
          what: "instances",
          entries: target.instances.map(toDesired),
          urls: target.instances.map(({ url }) => url),
        };
  const text =
    options.toUrlList === true
      ? urls.map((url) => `${url}\n`).join("")
      : exportConfig(entries, {
          json: options.output === "json" || (options.json === true && options.output !== "yaml"),
        });
  if ("fleet" in target && /:\/\/\*\*\*@/.test(text)) {
    throw new CliError(
      "this token is shown no keys, and the file would have none: it takes an admin's",
    );
  }
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
  context.stdout.write(`wrote ${entries.length} ${what} to ${to}\n`);
}

/** A fleet's services, and the URLs of all their ends. */
async function readFleet(fleet: FleetClient): Promise<{
  readonly what: string;
  readonly entries: readonly (ExportedInstance | ExportedService)[];
  readonly urls: readonly string[];
}> {
  const { toEntry } = await import("./service-entries.ts");
  const [services, masters] = await Promise.all([fleet.services(), fleet.masters()]);
  return {
    what: "services",
    entries: services.map((service) => toEntry(service, masters)),
    urls: services.flatMap(({ parts }) => parts.map(({ url }) => url)),
  };
}
