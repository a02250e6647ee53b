import {
  createMasterClient,
  type MasterClient,
  MasterClientError,
  type RemoteInstance,
} from "@nodepass/master-client";
import type { FleetClient } from "@nodepass/master-client/fleet";
import {
  createNodeFetch,
  isReadByOthers,
  profilePath,
  readProfiles,
} from "@nodepass/master-client/node";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { plainText } from "../output/terminal-text.ts";
import { chooseMaster, type MasterChoice } from "../profiles/choose-master.ts";
import type { AskOptions } from "./remote-options.ts";

/** What is said where the other kind of API answers than was asked for, by who asked. */
const otherKind = new WeakMap<CliContext, () => Promise<string>>();

/**
 * Opens the master that the options, the environment and the profiles mean: itself, or through the hub
 * of its fleet.
 */
export async function openMaster(context: CliContext, options: AskOptions): Promise<OpenedMaster> {
  const choice = await choose(context, options);
  const access = accessOf(choice, options);
  if (choice.member === undefined) {
    const client = createMasterClient(access);
    otherKind.set(context, async () => {
      const { createFleetClient } = await import("@nodepass/master-client/fleet");
      const { fleet } = await createFleetClient(access).info();
      const hub = choice.profile ?? client.origin;
      return `this is the hub of the fleet ${fleet}: name a master, -m MASTER@${hub}`;
    });
    return { client, choice, shown: client.origin };
  }
  const { createFleetClient, findMaster, memberAddress } = await import(
    "@nodepass/master-client/fleet"
  );
  const fleet = createFleetClient(access);
  // A whole mid needs no look-up.
  const mid = /^[0-9a-f]{16}$/.test(choice.member)
    ? choice.member
    : findMaster(await fleet.masters(), choice.member).mid;
  const address = memberAddress(choice.address, mid);
  const client = createMasterClient({ ...access, address });
  const shown = plainText(options.master ?? client.origin);
  return { client, choice, shown, member: { fleet, mid } };
}

/** A master that can be asked. */
export interface OpenedMaster {
  readonly client: MasterClient;
  readonly choice: MasterChoice;
  /** What it is called for people: its origin, or `MASTER@FLEET` as it was given. */
  readonly shown: string;
  /** Through whose hub it is asked. */
  readonly member?: { readonly fleet: FleetClient; readonly mid: string } | undefined;
}

/** What can be described by files: a master with its instances, or a fleet. */
export type OpenedTarget =
  | { readonly master: OpenedMaster; readonly instances: readonly RemoteInstance[] }
  | { readonly fleet: FleetClient };

/** Opens the master that is meant, or the fleet, if it is a hub that answers there. */
export async function openTarget(context: CliContext, options: AskOptions): Promise<OpenedTarget> {
  const master = await openMaster(context, options);
  try {
    return { master, instances: await master.client.list() };
  } catch (error) {
    const isUnknown = error instanceof MasterClientError && error.status === 404;
    if (!isUnknown || master.member !== undefined) throw error;
    const { createFleetClient } = await import("@nodepass/master-client/fleet");
    const fleet = createFleetClient(accessOf(master.choice, options));
    try {
      await fleet.info();
    } catch {
      // Neither: what was said first holds.
      throw error;
    }
    return { fleet };
  }
}

/** Opens the hub of the fleet that the options, the environment and the profiles mean. */
export async function openFleet(
  context: CliContext,
  options: AskOptions,
): Promise<{ readonly fleet: FleetClient; readonly choice: MasterChoice }> {
  const choice = await choose(context, options, true);
  if (choice.member !== undefined) {
    throw new CliError("the fleet itself is asked: no MASTER@ before it", {
      exitCode: exitCodes.usage,
    });
  }
  const { createFleetClient } = await import("@nodepass/master-client/fleet");
  const access = accessOf(choice, options);
  otherKind.set(context, async () => {
    await createMasterClient(access).info();
    return `this is a master, not a fleet's hub: ${choice.address.origin}`;
  });
  return { fleet: createFleetClient(access), choice };
}

/** Says of an API that knows nothing of what was asked for if it is a hub's for a master's, or the reverse. */
export async function explainNotFound(context: CliContext, error: unknown): Promise<unknown> {
  const ask = otherKind.get(context);
  const isUnknown = error instanceof MasterClientError && error.status === 404;
  if (ask === undefined || !isUnknown) return error;
  try {
    return new CliError(plainText(await ask()), { exitCode: exitCodes.notFound, cause: error });
  } catch {
    // It is not that; what was said first holds.
    return error;
  }
}

async function choose(
  context: CliContext,
  options: AskOptions,
  isHub = false,
): Promise<MasterChoice> {
  const path = profilePath(context.environment);
  const choice = chooseMaster(options, context.environment, await readProfiles(path), isHub);
  if (choice.ignoresVariable) {
    context.stderr.write(
      `nodepass: NP_API_KEY is not used: the key of the profile ${plainText(choice.profile ?? "")} is\n`,
    );
  }
  if (choice.profile !== undefined && (await isReadByOthers(path))) {
    context.stderr.write(`nodepass: others can read the keys in ${path}: chmod 600 it\n`);
  }
  return choice;
}

function accessOf({ address, key, trust }: MasterChoice, { timeout }: AskOptions) {
  return { address, key, fetch: createNodeFetch(trust), timeoutMs: timeout };
}
