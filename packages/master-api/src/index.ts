export { type Clock, systemClock } from "./clock.ts";
export { createMasterApi, type MasterApi } from "./create-master-api.ts";
export type { DocsAsset, ReadDocsAsset } from "./docs/assets.ts";
export {
  DEFAULT_EVENT_OPTIONS,
  type EventLimits,
  type EventOptions,
} from "./events/event-limits.ts";
export type { Logger } from "./logger.ts";
export type { MasterApiOptions } from "./options.ts";
export { KEY_INSTANCE_ID, type WireInstance } from "./schemas/instance.ts";
export { API_LEVEL, type WireInfo } from "./schemas/master.ts";
export {
  MAX_TAGS,
  MAX_TAGS_BYTES,
  MAX_TEXT_CHARACTERS,
  MAX_URL_BYTES,
} from "./schemas/text.ts";
export {
  type Instance,
  type InstanceAction,
  type InstanceChange,
  type InstanceEvent,
  type InstanceMeta,
  type InstancePeer,
  type InstanceStatus,
  type InstanceType,
  type MasterInfo,
  type MasterService,
  type NewInstance,
  type ProcessMetrics,
  ServiceError,
  type ServiceErrorCode,
  type TcpingResult,
} from "./service.ts";
