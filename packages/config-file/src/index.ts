export {
  ConfigFileError,
  type ConfigFileErrorCode,
  type ConfigProblem,
  formatProblem,
} from "./config-file-error.ts";
export { configJsonSchema } from "./config-schema.ts";
export { type ExportConfigOptions, exportConfig } from "./export-config.ts";
export type { ExportedInstance } from "./exported-config.ts";
export type { ExportedService, FilePart, FilePolicy } from "./exported-service.ts";
export {
  type ConfigFollower,
  type FollowConfigOptions,
  followConfig,
} from "./follow-config.ts";
export {
  type ConfiguredMaster,
  type LoadConfigOptions,
  type LoadedConfig,
  loadConfig,
} from "./load-config.ts";
export { type FaultLog, logFaults } from "./log-faults.ts";
export type { ConfiguredService } from "./read-services.ts";
export type { ConfiguredTunnel } from "./read-tunnels.ts";
export { type ConfigWatcher, type WatchConfigOptions, watchConfig } from "./watch-config.ts";
