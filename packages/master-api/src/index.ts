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

// Internal to the workspace: a fleet's hub answers as a master does.

export { createFailureLimiter, type FailureLimiter } from "./auth/failure-limiter.ts";
export {
  createRefuseWrong,
  givenKey,
  type RefuseWrong,
  refuseKeyless,
} from "./auth/require-key.ts";
export { createTicketStore, type TicketStore } from "./auth/ticket-store.ts";
export { readPackagedAsset } from "./docs/assets.ts";
export { registerSecurity } from "./docs/openapi-document.ts";
export { resolveEventOptions } from "./events/event-limits.ts";
export { EventReader } from "./events/event-reader.ts";
export {
  encodeShutdown,
  type FrameEncoder,
  MAX_FRAME_BYTES,
  type StateType,
} from "./events/frame.ts";
export { createReaderSet, type ReaderSet } from "./events/reader-set.ts";
export { allowAnyOrigin, createCors } from "./http/cors.ts";
export { createErrorHandler, refuse, STATUS_BY_CODE } from "./http/error-response.ts";
export { jsonBody, jsonBodyOf, readBytes } from "./http/json-body.ts";
export { guardMethods } from "./http/method-guard.ts";
export { validationMessage } from "./http/validation-message.ts";
export { resolvePrefix } from "./options.ts";
export { registerDocsRoutes } from "./routes/docs.ts";
export { STREAM_HEADERS } from "./routes/events.ts";
export { registerHealthRoutes } from "./routes/health.ts";
export { registerIndexRoute } from "./routes/index-page.ts";
export { createRoutes, KEY_SECURITY, TICKET_SECURITY } from "./routes/parts.ts";
export { registerRootSite, registerSiteRoutes } from "./routes/site.ts";
export { badRequest, failure, internal, tooLarge, unauthorized } from "./schemas/error.ts";
export { jsonAnswer, jsonRequest } from "./schemas/json.ts";
