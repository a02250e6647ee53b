export type { MasterExtension, MasterExtensionParts, RunningExtension } from "./extension.ts";
export type { FileTunnel } from "./files/file-instances.ts";
export type { KeyOptions } from "./given-keys.ts";
export {
  DEFAULT_SERVER_LIMITS,
  type ServerLimitOptions,
  type ServerLimits,
} from "./http/server-limits.ts";
export { type ImportStateOptions, importState, type KeptState } from "./import-state.ts";
export {
  type MasterEnvironment,
  readMasterEnvironment,
  stateDirectory,
  type Variables,
} from "./master-environment.ts";
export type { RunMasterOptions } from "./master-options.ts";
export { MasterServerError, type MasterServerErrorCode } from "./master-server-error.ts";
export { goStateFiles, type MovedIn } from "./move-in.ts";
export { type RenewMasterKeyOptions, renewMasterKey } from "./renew-master-key.ts";
export { mountMaster, runMaster } from "./run-master.ts";
export {
  type CloseMasterOptions,
  type MountedMaster,
  type RunningMaster,
  SIGN_IN_HINT,
  type StartLinesOptions,
  startLines,
} from "./running-master.ts";
export { findCarriers, proxyVariables } from "./ways.ts";

// Internal to the workspace: a fleet's hub is served as a master is.

export { apiUrl, reachableAddress } from "./addresses.ts";
export { type HttpServer, openHttpServer } from "./http/http-server.ts";
export type { FetchHandler } from "./http/request-listener.ts";
export { resolveServerLimits } from "./http/server-limits.ts";
export { type OpenedCertificate, openCertificate } from "./open-certificate.ts";
export { openSite } from "./site/open-site.ts";
