import { Hono } from "hono";
import { registerAgentRoute } from "./agents/agent-route.ts";
import { createFailureLimiter } from "./auth/failure-limiter.ts";
import { createRequireKey } from "./auth/require-key.ts";
import { createTicketStore } from "./auth/ticket-store.ts";
import { MASTER_DOCUMENT, registerComponents } from "./docs/openapi-document.ts";
import { createEventStreams } from "./events/event-streams.ts";
import { createCors } from "./http/cors.ts";
import { createErrorHandler, refuse } from "./http/error-response.ts";
import { guardMethods } from "./http/method-guard.ts";
import { keyEntry } from "./instance-view.ts";
import { type MasterApiOptions, resolveMasterApiOptions } from "./options.ts";
import { registerDocsRoutes } from "./routes/docs.ts";
import { registerEventRoutes } from "./routes/events.ts";
import { registerHealthRoutes } from "./routes/health.ts";
import { registerIndexRoute } from "./routes/index-page.ts";
import { registerInfoRoutes } from "./routes/info.ts";
import { registerInstanceBanRoutes } from "./routes/instance-bans.ts";
import { registerInstanceRecordRoutes } from "./routes/instance-records.ts";
import { registerInstanceRoutes } from "./routes/instances.ts";
import { registerKeyRoutes } from "./routes/keys.ts";
import { registerMetricsRoute } from "./routes/metrics.ts";
import { createRoutes, type RouteParts } from "./routes/parts.ts";
import { registerSignInRoute } from "./routes/sign-in.ts";
import { registerRootSite, registerSiteRoutes } from "./routes/site.ts";
import { registerTcpingRoute } from "./routes/tcping.ts";

/** A one-time link's token: good for so long, ms. */
const SIGN_IN_LIFE_MS = 60_000;
const SIGN_IN_LIMITS = { ticketLifeMs: SIGN_IN_LIFE_MS, maxTickets: 16 };

/** The API of one master. */
export interface MasterApi {
  /** Answers under `<prefix>` and `<prefix>/v1`; to be served, or asked with `app.request()`. */
  readonly app: Hono;
  /** Ends the event streams with `shutdown`, and makes all tickets worthless: a key has changed. */
  endStreams(): void;
  /**
   * Makes a token for which `POST /sign-in` gives the API key, once, within 60 s: for the fragment of
   * a link that the dashboard is opened with.
   */
  issueSignIn(): string;
  /** Ends the event streams with `shutdown` and the subscription to the service; idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The HTTP API of a master, over a service that it knows only as an interface.
 *
 * @throws {ServiceError} `INVALID_OPTIONS` if an option is out of range
 * @see README.md for the statuses and the limits
 */
export function createMasterApi(options: MasterApiOptions): MasterApi {
  const resolved = resolveMasterApiOptions(options);
  const { instances, master, prefix, clock, version, name, logger, events } = resolved;
  const { remoteAddress, disconnect, readDocsAsset, site } = resolved;

  const tickets = createTicketStore(clock, events);
  const links = createTicketStore(clock, SIGN_IN_LIMITS);
  /** A key has changed: what was given out for the old one opens nothing any more. */
  const forgetTickets = (): void => {
    tickets.clear();
    links.clear();
  };
  const limiter = createFailureLimiter(clock);
  const streams = createEventStreams({
    instances,
    clock,
    limits: events,
    logger,
    // A ticket opens a stream; it must not tell the key, which does not expire.
    keyEntry: async () => keyEntry(await master.identity(), ""),
  });
  const parts: RouteParts = {
    instances,
    master,
    clock,
    streams,
    tickets: { ...tickets, clear: forgetTickets },
    requireKey: createRequireKey({ master, limiter, tickets, remoteAddress }),
    disconnect,
    impl: `${name} ${version}`,
    version,
    metricsInstances: resolved.metricsInstances,
  };

  const app = new Hono();
  const agentPath = `${prefix}/v2`;
  app.use(createCors({ agentPath }));
  const routes = createRoutes();
  registerComponents(routes);
  registerInstanceRoutes(routes, parts);
  registerInstanceRecordRoutes(routes, parts);
  registerInstanceBanRoutes(routes, parts);
  registerEventRoutes(routes, parts);
  registerInfoRoutes(routes, parts);
  registerKeyRoutes(routes, parts);
  registerTcpingRoute(routes, parts);
  registerHealthRoutes(routes, app, {
    ...{ of: "master", impl: parts.impl, clock },
    readiness: async () => ({ ...(await master.readiness()) }),
  });
  registerMetricsRoute(routes, parts);
  const document = { ...MASTER_DOCUMENT, servers: [prefix, `${prefix}/v1`], version };
  registerDocsRoutes(routes, document, readDocsAsset);
  registerIndexRoute(routes, {
    version,
    page: site === undefined ? "docs" : "ui/",
    places: { instances: "instances", events: "events" },
  });
  if (site !== undefined) {
    registerSignInRoute(routes, parts, links);
    registerSiteRoutes(routes, site.files);
    if (site.atRoot) {
      registerRootSite(app, site.files, prefix);
      guardMethods(app);
    }
  }
  guardMethods(routes);

  app.onError(createErrorHandler(logger));
  app.notFound((context) => refuse(context, 404, "Not found"));
  if (resolved.agents !== undefined) registerAgentRoute(app, agentPath, parts, resolved.agents);
  app.route(prefix, routes);
  app.route(`${prefix}/v1`, routes);

  const close = (): Promise<void> => {
    forgetTickets();
    return streams.close();
  };
  const endStreams = (): void => {
    forgetTickets();
    streams.endAll();
  };
  const issueSignIn = (): string => links.issue("full").ticket;
  return { app, endStreams, issueSignIn, close, [Symbol.asyncDispose]: close };
}
