export { monotonicMs } from "@nodepass/tunnel-core";
export type {
  ChangeOptions,
  CreateOptions,
  InstanceDetails,
  InstanceManager,
  InstanceMetrics,
  ReplaceOptions,
} from "./instance-manager.ts";
export { createInstanceManager } from "./local-instances.ts";
export type { InstanceLogEntry, InstanceManagerOptions } from "./manager-options.ts";
export {
  createApiKey,
  createMasterState,
  type GivenKeys,
  type MasterIdentity,
} from "./master-identity.ts";
