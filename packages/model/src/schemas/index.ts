export { counterShape } from "./counters.ts";
export { InstanceEventSchema, TicketSchema } from "./events.ts";
export {
  CreatedInstanceSchema,
  InstanceBansSchema,
  InstanceHistorySchema,
  InstanceLogsSchema,
  InstancePortsSchema,
  InstanceSchema,
  LiftedBansSchema,
  MetaSchema,
  PeerSchema,
  ReplacedInstanceSchema,
} from "./instance.ts";
export {
  InstanceChangeSchema,
  InstanceUrlSchema,
  NewInstanceSchema,
} from "./instance-requests.ts";
export { InfoSchema, MasterAliasSchema, TcpingSchema } from "./master.ts";
export { instanceRecordSchema } from "./state.ts";
export { instanceUrl, shortText } from "./text.ts";
