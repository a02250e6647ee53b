export {
  COUNTER_NAMES,
  COUNTERS,
  type CounterDefinition,
  type CounterName,
  type Counters,
  countersOf,
  isSameCounters,
  NO_COUNTERS,
  NO_TOTALS,
  TOTAL_NAMES,
  type TotalName,
  type Totals,
  type Traffic,
  totalsOf,
} from "./counters.ts";
export { EventHub } from "./event-hub.ts";
export {
  HISTORY_RANGE_NAMES,
  HISTORY_RANGES,
  HISTORY_SERIES,
  type HistoryRange,
  type HistorySeries,
  type InstanceHistory,
} from "./history.ts";
export {
  type CreatedInstance,
  INSTANCE_ACTIONS,
  type Instance,
  type InstanceAction,
  type InstanceBan,
  type InstanceChange,
  type InstanceEvent,
  type InstanceLink,
  type InstanceLogLine,
  type InstanceLogs,
  type InstanceMeta,
  type InstanceOrigin,
  type InstancePeer,
  type InstancePort,
  type InstanceQuota,
  type InstanceStatus,
  type InstanceType,
  type LogQuery,
  type NewInstance,
  NO_META,
  type PeerLink,
  type ReplacedInstance,
  type RestingTarget,
  type UrlChanges,
} from "./instance.ts";
export type { InstanceRecord, QuotaRecord } from "./instance-record.ts";
export {
  LATENCIES,
  LATENCY_NAMES,
  type Latencies,
  type LatencyDefinition,
  type LatencyHistogram,
  type LatencyName,
  latenciesOf,
} from "./latencies.ts";
export { type LogFields, type Logger, type LogLineLevel, SILENT_LOGGER } from "./logger.ts";
export { NAME_TAG, OWNER_TAG, ownTags } from "./marks.ts";
export { API_LEVEL, type MasterInfo, type ProcessMetrics, type TcpingResult } from "./master.ts";
export type {
  InstanceService,
  KeyAccess,
  MasterIdentity,
  MasterReadiness,
  MasterService,
} from "./service.ts";
export { ServiceError, type ServiceErrorCode } from "./service-error.ts";
export {
  byteLength,
  hasAtMostCharacters,
  isWellFormed,
  MAX_TAGS,
  MAX_TAGS_BYTES,
  MAX_TEXT_CHARACTERS,
  MAX_URL_BYTES,
} from "./text-limits.ts";
export { INSTANCE_URL_PATTERN, TARGET_PATTERN } from "./url-patterns.ts";
export { KEY_INSTANCE_ID, toWireInstance, type WireInstance, wireInteger } from "./wire.ts";
