export type { InstanceDetails, InstanceManager, InstanceMetrics } from "./instance-manager.ts";
export { createInstanceManager } from "./local-instances.ts";
export type { InstanceLogEntry, InstanceManagerOptions } from "./manager-options.ts";
export {
  createApiKey,
  createMasterState,
  type GivenKeys,
  isSameKey,
  type MasterIdentity,
} from "./master-identity.ts";
