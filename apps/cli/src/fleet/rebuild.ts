import type { RemoteFleetInstance } from "@nodepass/master-client/fleet";
import type { FleetRebuildOptions } from "../commands/fleet-files.ts";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { printData } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { openFleet } from "../remote/open-master.ts";
import { forEachName } from "./each-name.ts";
import { allInstances } from "./list-fleet.ts";

/**
 * Runs `nodepass fleet rebuild`: instances that a fleet made once carry its mark, the id of their
 * service; those whose service is not there are adopted, each where it runs.
 */
export async function rebuildFleet(
  context: CliContext,
  options: FleetRebuildOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const [{ instances, missing }, services] = await Promise.all([
    allInstances(fleet, {}),
    fleet.services(),
  ]);
  const known = new Set(services.map(({ sid }) => sid));
  const lost = instances.filter(({ sid }) => sid !== null && isMark(sid) && !known.has(sid));
  const made: { readonly sid: string | null; readonly mid: string; readonly instance: string }[] =
    [];
  const byName = new Map(lost.map((each) => [nameOf(each), each]));
  await forEachName(context, [...byName.keys()], async (name) => {
    const found = byName.get(name);
    if (found === undefined) return;
    const { mid, id, alias } = found;
    const sid = options.dryRun === true ? null : (await fleet.adopt(mid, id)).sid;
    made.push({ sid, mid, instance: id });
    if (options.json === true) return;
    const verb = sid === null ? "would adopt" : "adopted";
    context.stdout.write(`${verb} ${plainText(`${name}${alias === "" ? "" : ` (${alias})`}`)}\n`);
  });
  if (options.json === true) await printData(context, made, options);
  else if (made.length === 0)
    context.stderr.write("nothing to rebuild: no master runs such a tunnel\n");
  if (missing.length === 0) return;
  throw new CliError(
    `no answer of ${missing.map(plainText).join(", ")}: run it again when they are there`,
  );
}

/** Ids of a fleet's services, as hubs make them. */
function isMark(sid: string): boolean {
  return /^[0-9a-f]{16}$/.test(sid);
}

function nameOf({ master, mid, id }: RemoteFleetInstance): string {
  return `${master || mid}/${id}`;
}
