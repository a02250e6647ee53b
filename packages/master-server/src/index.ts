export {
  DEFAULT_SERVER_LIMITS,
  type ServerLimitOptions,
  type ServerLimits,
} from "./http/server-limits.ts";
export {
  type MasterEnvironment,
  readMasterEnvironment,
  stateDirectory,
  type Variables,
} from "./master-environment.ts";
export type { RunMasterOptions } from "./master-options.ts";
export { MasterServerError, type MasterServerErrorCode } from "./master-server-error.ts";
export { type RenewMasterKeyOptions, renewMasterKey } from "./renew-master-key.ts";
export { findCarriers, proxyVariables } from "./ways.ts";
export { runMaster } from "./run-master.ts";
export { type CloseMasterOptions, type RunningMaster, startLines } from "./running-master.ts";
