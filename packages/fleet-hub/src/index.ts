export type { Caller, Fleet, FleetInstanceQuery } from "./fleet.ts";
export { createHubApi, type HubApi, type HubApiOptions } from "./http/create-hub-api.ts";
export { type RunFleetHubOptions, type RunningFleetHub, runFleetHub } from "./http/serve-hub.ts";
export type { FleetHub, FleetHubOptions, HubFigures } from "./hub.ts";
export {
  type CreatedFleet,
  type CreateFleetOptions,
  createFleet,
  decodeHubSecrets,
  encodeHubSecrets,
  HUB_SECRETS_FILE,
  type HubSecrets,
  readHubSecrets,
  withNewFirstToken,
  writeHubSecrets,
} from "./hub-secrets.ts";
export type { Messenger } from "./members/messenger.ts";
export type { MemberFacts, Presence } from "./members/presence.ts";
export { openFleetHub } from "./open-fleet-hub.ts";
export { AUDIT_AGE_MS } from "./store/open-store.ts";
