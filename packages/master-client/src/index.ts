export { type ActOptions, act } from "./act.ts";
export type { ApiOptions, EventTicket } from "./ask-api.ts";
export {
  MasterClientError,
  type MasterClientErrorCode,
  type MasterClientErrorOptions,
} from "./client-error.ts";
export { unreachable } from "./connection-error.ts";
export { type CreateInstanceOptions, checkChange, createInstance } from "./create-instance.ts";
export {
  type FollowEventsOptions,
  followEvents,
  type RemoteEvent,
  readEvent,
} from "./event-stream.ts";
export type { Fetch, FetchInit, OpenAnswer } from "./exchange.ts";
export { findInstance, nameInstance } from "./find-instance.ts";
export type { FollowOptions } from "./follow-stream.ts";
export { type MasterAddress, parseMasterAddress } from "./master-address.ts";
export {
  createMasterClient,
  type MasterClient,
  type MasterClientOptions,
  type RemoteChange,
  type RemoteLogQuery,
  type RemoteReadiness,
  type RemoteTcping,
} from "./master-client.ts";
export {
  createRateMeter,
  type RateMeter,
  type RateMeterOptions,
  type Rates,
} from "./rate-meter.ts";
export {
  isRecord,
  type RemoteInstance,
  type RemotePeer,
  type RemoteRestingTarget,
  readInstance,
} from "./remote-instance.ts";
