export type { Caller, Fleet, FleetInstanceQuery } from "./fleet.ts";
export { createHubApi, type HubApi, type HubApiOptions } from "./http/create-hub-api.ts";
export type { Messenger } from "./members/messenger.ts";
export type { MemberFacts, Presence } from "./members/presence.ts";
