import { MEMBER_PERMISSIONS, type MemberPermission } from "@nodepass/model/fleet";
import { FleetAgentError } from "./fleet-agent-error.ts";

/**
 * Reads what a member accepts from its hub: `apply,api,read`, some of them, or `none`.
 *
 * @returns `undefined` for no text: the default, all of them
 * @throws {FleetAgentError} `INVALID_OPTIONS`
 */
export function readAllow(text: string | undefined): readonly MemberPermission[] | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === "none") return [];
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !isPermission(name));
  if (wrong === undefined) return MEMBER_PERMISSIONS.filter((one) => names.includes(one));
  throw new FleetAgentError(
    "INVALID_OPTIONS",
    `${JSON.stringify(wrong.slice(0, 40))} is nothing that a member can allow; allowed: ${MEMBER_PERMISSIONS.join(", ")} with commas, or none`,
  );
}

function isPermission(name: string): name is MemberPermission {
  return MEMBER_PERMISSIONS.some((one) => one === name);
}
