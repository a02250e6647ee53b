export type { AgentHandler, AgentOptions, AgentRequest } from "./agents/agent-route.ts";
// Internal to the workspace: a fleet's hub answers as a master does.
export { createFailureLimiter, type FailureLimiter } from "./auth/failure-limiter.ts";
export { CHALLENGE, givenKey } from "./auth/require-key.ts";
export { type Trusted, trustedEnvironment } from "./auth/trusted.ts";
export { type Clock, systemClock } from "./clock.ts";
export { createMasterApi, type MasterApi } from "./create-master-api.ts";
export type { DocsAsset, ReadDocsAsset } from "./docs/assets.ts";
export {
  DEFAULT_EVENT_OPTIONS,
  type EventLimits,
  type EventOptions,
} from "./events/event-limits.ts";
export { allowAnyOrigin, createCors } from "./http/cors.ts";
export { createErrorHandler, refuse, STATUS_BY_CODE } from "./http/error-response.ts";
export { MAX_BODY_BYTES, readBytes } from "./http/json-body.ts";
export type { MasterApiOptions } from "./options.ts";
export type { WireInfo } from "./routes/info.ts";
export type { Site, SiteFile } from "./site/site.ts";
