import { existsSync } from "node:fs";
import { join } from "node:path";
import type { InstanceManager } from "@nodepass/instances";
import type { Logger, MasterInfo } from "@nodepass/model";
import type { MemberPermission } from "@nodepass/model/fleet";
import { FLEET_FILE_NAME, FleetFile, type OwnerLimits } from "./file/fleet-file.ts";
import { FleetAgentError } from "./fleet-agent-error.ts";
import { joinFleet } from "./join/join-fleet.ts";
import { type FleetAgent, openFleetAgent } from "./open-fleet-agent.ts";
import { ANY_TARGET, readTargets, type TargetRules } from "./parts/targets.ts";
import type { AskedBy } from "./pass-through/pass-through.ts";

/** The master that a member is, as `@nodepass/master-server` gives it to its extensions. */
export interface MemberMaster {
  readonly instances: InstanceManager;
  ask(request: Request, by: AskedBy): Promise<Response>;
  info(): Promise<MasterInfo>;
  readonly prefix: string;
  readonly stateDirectory: string;
  readonly version: string;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
}

/** Of a master that can't be a member now. */
const ALONE = { close: async () => undefined, destroy: () => undefined };

/** How a master is a member. */
export interface FleetExtensionOptions {
  /** Text of a join token; without one it is a member already. */
  readonly token?: string | undefined;
  /** Gives this master another id first, for one that was copied from another. @default false */
  readonly newIdentity?: boolean | undefined;
  /** What it accepts from its hub. @default what was said before, else all */
  readonly allow?: readonly MemberPermission[] | undefined;
  /** Addresses that the fleet's instances may dial, see `readTargets`. @default what was said before, else any */
  readonly targets?: TargetRules | undefined;
  /** Told once the member is there. */
  readonly onOpen?: ((agent: FleetAgent) => void) | undefined;
}

/**
 * An extension for `runMaster`: joins the fleet, if there is a token, and is its member from then on.
 *
 * @example
 * await runMaster({ settings, stateDirectory, extension: fleetExtension({ token }) });
 *
 * @throws {FleetAgentError} when it is called, as `joinFleet`, or if this master is in no fleet
 */
export function fleetExtension(
  options: FleetExtensionOptions,
): (master: MemberMaster) => Promise<Pick<FleetAgent, "close" | "destroy">> {
  return async (master) => {
    const { instances, stateDirectory: directory, logger, signal } = master;
    const { token, newIdentity = false } = options;
    let limits = limitsOf(options);
    if (newIdentity) {
      const before = await FleetFile.open(directory).catch(() => undefined);
      limits = { ...limitsOf(before?.data), ...limits };
      await FleetFile.remove(directory);
      await instances.identity.renewMasterId();
      logger.info({ mid: instances.identity.masterId }, "fleet: this master has a new identity");
    }
    if (token !== undefined) {
      const { alias, name } = await master.info();
      const { masterId: mid } = instances.identity;
      const called = alias === "" ? name : alias;
      const joined = await joinFleet({ token, directory, mid, name: called, limits, signal });
      const said = joined.already ? "fleet: a member already" : "fleet: joined";
      logger.info({ fleet: joined.fleet, mid }, said);
      if (joined.unasked !== undefined) {
        const reason = joined.unasked;
        logger.warn({ reason }, "fleet: not known whether the join token is of this fleet");
      }
    }
    const file = await FleetFile.open(directory).catch((error: unknown) => {
      if (!(error instanceof FleetAgentError)) throw error;
      // Its tunnels matter more than its fleet.
      logger.error({ reason: error.message }, "fleet: this master runs alone, join again");
    });
    if (file === undefined && existsSync(join(directory, FLEET_FILE_NAME))) return ALONE;
    if (file === undefined) {
      throw new FleetAgentError(
        "INVALID_OPTIONS",
        "this master is in no fleet: a join token is needed",
      );
    }
    if (file.data.jwt === "") {
      const [hub = ""] = file.data.hubs;
      logger.warn({ hub }, "fleet: not joined, the token is needed again");
      return ALONE;
    }
    await keepLimits(file, limits, logger);
    const rules = readTargets(file.data.targets);
    const { ask, info, prefix, version } = master;
    const agent = openFleetAgent({
      file,
      instances,
      ask,
      info,
      prefix,
      version,
      logger,
      allow: file.data.allow,
      targets: rules?.text === ANY_TARGET ? undefined : rules,
    });
    options.onOpen?.(agent);
    return agent;
  };
}

/** What is said of them; nothing is said by what is absent. */
function limitsOf({ allow, targets }: SaidLimits = {}): OwnerLimits {
  const text = typeof targets === "object" ? targets.text : targets;
  return { ...(allow && { allow: [...allow] }), ...(text !== undefined && { targets: text }) };
}

/** As options and file have them. */
interface SaidLimits extends Pick<FleetExtensionOptions, "allow"> {
  readonly targets?: TargetRules | string | undefined;
}

/** They hold in any case; without a file they are only not there at the next start. */
async function keepLimits(file: FleetFile, limits: OwnerLimits, logger: Logger): Promise<void> {
  const { data } = file;
  const before = JSON.stringify([data.allow, data.targets]);
  Object.assign(data, limits);
  if (JSON.stringify([data.allow, data.targets]) === before) return;
  await file.save().catch((error: unknown) => {
    logger.error({ reason: String(error) }, "fleet: what it may do here is not saved");
  });
}
