import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MasterExtension, Variables } from "@nodepass/master-server";

/** What the command line says about a fleet. */
export interface FleetRequest {
  /** Text of a join token. */
  readonly token: string | undefined;
  /** Begins as another master than the one whose state was copied. */
  readonly newIdentity: boolean;
  /** `apply,api,read` or some of them. */
  readonly allow: string | undefined;
  /** Addresses that the fleet's instances may dial. */
  readonly targets: string | undefined;
}

/** As `@nodepass/fleet-agent` names it, which is not loaded to find that there is none. */
const FILE_NAME = "fleet.msgpack";

/**
 * The member's side of a fleet, for a master that joins one or is in one already. Any other master
 * loads nothing of it.
 *
 * @throws for a setting that can't be read, naming it; never the token
 */
export async function findFleet(
  stateDirectory: string,
  request: FleetRequest,
  variables: Variables,
): Promise<MasterExtension | undefined> {
  const token = request.token ?? givenToken(variables);
  const allowText = request.allow ?? given(variables.NP_FLEET_ALLOW);
  const targetsText = request.targets ?? given(variables.NP_FLEET_TARGETS);
  const isOfFleet = token !== undefined || existsSync(join(stateDirectory, FILE_NAME));
  if (!isOfFleet && allowText === undefined && targetsText === undefined) return undefined;
  const { fleetExtension, readAllow, readTargets } = await import("@nodepass/fleet-agent");
  // Also without a fleet: what is wrong there is to be known before there is one.
  const [allow, targets] = [readAllow(allowText), readTargets(targetsText)];
  return isOfFleet
    ? fleetExtension({ token, newIdentity: request.newIdentity, allow, targets })
    : undefined;
}

/** Takes a stopped master out of its fleet. @returns what is to be printed */
export async function leaveFleet(stateDirectory: string): Promise<string> {
  const agent = await import("@nodepass/fleet-agent");
  const left = await agent.leaveFleet(stateDirectory);
  if (left === undefined) return "this master is in no fleet";
  const { fleet, mid, parts, reason } = left;
  if (reason !== "") return `${mid} was out of the fleet ${fleet} already (${reason}): forgotten`;
  const kept = `${parts} of its instances were the fleet's and are its own now`;
  return `${mid} has left the fleet ${fleet}; ${kept}. At the hub: nodepass fleet rm ${mid}`;
}

function givenToken({ NP_FLEET_JOIN, NP_FLEET_JOIN_FILE }: Variables): string | undefined {
  const file = given(NP_FLEET_JOIN_FILE);
  const text = given(NP_FLEET_JOIN);
  if (text !== undefined || file === undefined) return text;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`NP_FLEET_JOIN_FILE can't be read: ${reason}`, { cause: error });
  }
}

function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
