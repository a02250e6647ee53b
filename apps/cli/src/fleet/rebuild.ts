import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { printData } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { openFleet } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";

/** Options of `fleet rebuild`. */
export interface FleetRebuildOptions extends RemoteOptions {
  readonly dryRun?: boolean | undefined;
}

/** Runs `nodepass fleet rebuild`: services of what masters run, whose records the store has lost. */
export async function rebuildFleet(
  context: CliContext,
  options: FleetRebuildOptions,
): Promise<void> {
  const { dryRun = false } = options;
  const { fleet } = await openFleet(context, options);
  const rebuilt = await fleet.rebuildServices(dryRun);
  const { made, left, missing } = rebuilt;
  if (options.json === true) await printData(context, rebuilt, options);
  else {
    const verb = dryRun ? "would make" : "made";
    for (const { sid, alias, masters } of made) {
      const name = alias === "" ? sid : `${alias} (${sid})`;
      context.stdout.write(plainText(`${verb} ${name} at ${masters.join(", ")}`).concat("\n"));
    }
    if (made.length + left.length === 0) {
      context.stderr.write("nothing to rebuild: no master runs such a tunnel\n");
    }
  }
  const failed = left.map(({ sid, reason }) => `${sid}: ${reason}`);
  if (missing.length > 0) {
    failed.push(`no answer of ${missing.join(", ")}: run it again when they are there`);
  }
  if (failed.length > 0) throw new CliError(failed.map(plainText).join("\n"));
}
