export { createInstanceManager } from "./create-instance-manager.ts";
export type {
  BoundAddress,
  Instance,
  InstanceAction,
  InstanceChange,
  InstanceDetails,
  InstanceEvent,
  InstanceMeta,
  InstanceMetrics,
  InstancePeer,
  InstanceStatus,
  NewInstance,
} from "./instance.ts";
export { InstanceError, type InstanceErrorCode } from "./instance-error.ts";
export type { InstanceManager } from "./instance-manager.ts";
export type {
  InstanceLogEntry,
  InstanceLogFields,
  InstanceLogger,
  InstanceManagerOptions,
} from "./manager-options.ts";
export { createApiKey, createMasterState } from "./master-key.ts";
