export { readAllow } from "./allow.ts";
export { FLEET_FILE_NAME, FleetFile } from "./file/fleet-file.ts";
export { FleetAgentError, type FleetAgentErrorCode } from "./fleet-agent-error.ts";
export {
  type FleetExtensionOptions,
  fleetExtension,
  type MemberMaster,
} from "./fleet-extension.ts";
export { type Joined, type JoinFleetOptions, joinFleet } from "./join/join-fleet.ts";
export { type LeftFleet, leaveFleet } from "./join/leave-fleet.ts";
export {
  type FleetAgent,
  type FleetAgentOptions,
  type FleetStatus,
  openFleetAgent,
} from "./open-fleet-agent.ts";
export { readTargets, type TargetRules } from "./parts/targets.ts";
export type { AskedBy } from "./pass-through/pass-through.ts";
