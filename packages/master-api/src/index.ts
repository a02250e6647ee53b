export type { AgentHandler, AgentOptions, AgentRequest } from "./agents/agent-route.ts";
export { type Trusted, trustedEnvironment } from "./auth/trusted.ts";
export { type Clock, systemClock } from "./clock.ts";
export { createMasterApi, type MasterApi } from "./create-master-api.ts";
export type { DocsAsset, ReadDocsAsset } from "./docs/assets.ts";
export {
  DEFAULT_EVENT_OPTIONS,
  type EventLimits,
  type EventOptions,
} from "./events/event-limits.ts";
export type { MasterApiOptions } from "./options.ts";
export type { WireInfo } from "./routes/info.ts";
export type { Site, SiteFile } from "./site/site.ts";
