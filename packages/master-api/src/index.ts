export { type Clock, systemClock } from "./clock.ts";
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
