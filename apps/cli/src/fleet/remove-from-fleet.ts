import { findInFleet } from "@nodepass/master-client/fleet";
import type { FleetMaster } from "@nodepass/model/fleet";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { tryEach } from "../output/try-each.ts";
import { openFleet } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { shownService } from "./show-service.ts";

/** Options of `fleet rm`. */
export interface FleetRemoveOptions extends RemoteOptions {
  readonly stop?: boolean | undefined;
  readonly keep?: boolean | undefined;
}

/** Runs `nodepass fleet rm`. */
export async function removeFromFleet(
  context: CliContext,
  names: readonly string[],
  options: FleetRemoveOptions,
): Promise<void> {
  if (options.keep === true && options.stop === true) {
    throw new CliError("--keep and --stop exclude each other", { exitCode: exitCodes.usage });
  }
  const { fleet } = await openFleet(context, options);
  const [masters, services] = await Promise.all([fleet.masters(), fleet.services()]);
  // A name that means nothing is most likely a slip: of the others nothing is removed then.
  const found: (readonly [string, ReturnType<typeof findInFleet>])[] = [];
  try {
    await tryEach(context, names, async (name) => {
      found.push([name, findInFleet({ masters, services }, name)]);
    });
  } catch (error) {
    if (names.length > 1) context.stderr.write("nothing was removed\n");
    throw error;
  }
  const removed: string[] = [];
  await tryEach(context, found, async ([name, { master, service }]) => {
    if (master !== undefined) await fleet.removeMaster(master.mid, options.stop);
    if (service !== undefined) await fleet.removeService(service.sid, options.keep);
    removed.push(master?.mid ?? service?.sid ?? name);
    if (options.json === true) return;
    const shown = service === undefined ? shownMaster(master, name) : shownService(service);
    context.stdout.write(`removed ${shown}\n`);
    if (master === undefined) return;
    // A service that was removed just now has no part left there.
    const gone = found.flatMap(([, each]) => each.service?.sid ?? []);
    for (const each of services.filter(({ sid }) => !gone.includes(sid))) {
      for (const { role } of each.parts.filter(({ owner }) => owner === master.mid)) {
        const fate = options.stop === true ? "is told to end" : "stays there, as its own";
        context.stderr.write(`the ${role} of ${shownService(each)} ${fate}\n`);
      }
    }
  });
  if (options.json === true) await printData(context, removed, options);
}

function shownMaster(master: FleetMaster | undefined, name: string): string {
  if (master === undefined) return plainText(name);
  return plainText(master.name === "" ? master.mid : `${master.mid} (${master.name})`);
}
