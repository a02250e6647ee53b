import { createMasterClient, type MasterClient } from "@nodepass/master-client";
import type { FleetClient } from "@nodepass/master-client/fleet";
import {
  createNodeFetch,
  isReadByOthers,
  profilePath,
  readProfiles,
} from "@nodepass/master-client/node";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { chooseMaster, type MasterChoice } from "../profiles/choose-master.ts";
import type { AskOptions } from "./remote-options.ts";

/**
 * Opens the master that the options, the environment and the profiles mean: itself, or through the hub
 * of its fleet.
 */
export async function openMaster(
  context: CliContext,
  options: AskOptions,
): Promise<{ readonly client: MasterClient; readonly choice: MasterChoice }> {
  const choice = await choose(context, options);
  const access = accessOf(choice, options);
  if (choice.member === undefined) return { client: createMasterClient(access), choice };
  const { createFleetClient, findMaster, memberAddress } = await import(
    "@nodepass/master-client/fleet"
  );
  // A whole mid needs no look-up.
  const mid = /^[0-9a-f]{16}$/.test(choice.member)
    ? choice.member
    : findMaster(await createFleetClient(access).masters(), choice.member).mid;
  const address = memberAddress(choice.address, mid);
  return { client: createMasterClient({ ...access, address }), choice };
}

/** Opens the hub of the fleet that the options, the environment and the profiles mean. */
export async function openFleet(
  context: CliContext,
  options: AskOptions,
): Promise<{ readonly fleet: FleetClient; readonly choice: MasterChoice }> {
  const choice = await choose(context, options);
  if (choice.member !== undefined) {
    throw new CliError("the fleet itself is asked: no MASTER@ before it", {
      exitCode: exitCodes.usage,
    });
  }
  const { createFleetClient } = await import("@nodepass/master-client/fleet");
  return { fleet: createFleetClient(accessOf(choice, options)), choice };
}

async function choose(context: CliContext, options: AskOptions): Promise<MasterChoice> {
  const path = profilePath(context.environment);
  const choice = chooseMaster(options, context.environment, await readProfiles(path));
  if (choice.profile !== undefined && (await isReadByOthers(path))) {
    context.stderr.write(`nodepass: others can read the keys in ${path}: chmod 600 it\n`);
  }
  return choice;
}

function accessOf({ address, key, trust }: MasterChoice, { timeout }: AskOptions) {
  return { address, key, fetch: createNodeFetch(trust), timeoutMs: timeout };
}
