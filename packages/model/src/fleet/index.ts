export {
  API_TOKEN_PREFIX,
  type AuditEntry,
  AuditEntrySchema,
  type CreatedToken,
  CreatedTokenSchema,
  FLEET_ROLES,
  type FleetRole,
  type FleetToken,
  FleetTokenSchema,
  hasRole,
  type NewToken,
  NewTokenSchema,
} from "./access.ts";
export {
  ALARMS,
  type Alarm,
  type FleetEvent,
  FleetEventSchema,
  type FleetInfo,
  FleetInfoSchema,
} from "./events.ts";
export { givenObject } from "./given.ts";
export { ADMIN_LABEL_PREFIX, isLabelName, isLabelValue, LabelsSchema } from "./labels.ts";
export {
  type FleetInstance,
  FleetInstanceSchema,
  type FleetInstances,
  FleetInstancesSchema,
  type FleetMaster,
  type FleetMasterChange,
  FleetMasterChangeSchema,
  FleetMasterSchema,
  MASTER_STATUSES,
  type MasterStatus,
  MEMBER_PERMISSIONS,
  type MemberPermission,
} from "./masters.ts";
export { isSelected, parseSelector, type Selector, SelectorError } from "./selector.ts";
export {
  DEFAULT_POLICY,
  FAILOVER_TTL,
  type FailoverPolicy,
  type Move,
  MoveSchema,
  type NewService,
  type NewServicePart,
  NewServiceSchema,
  PART_ROLES,
  PART_STATES,
  type PartRole,
  type Service,
  type ServiceChange,
  ServiceChangeSchema,
  type ServicePart,
  type ServicePolicy,
  ServicePolicySchema,
  ServiceSchema,
} from "./services.ts";
