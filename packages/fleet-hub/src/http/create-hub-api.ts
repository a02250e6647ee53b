import { z } from "@hono/zod-openapi";
import {
  type Clock,
  createCors,
  createErrorHandler,
  createFailureLimiter,
  createRefuseWrong,
  createRoutes,
  createTicketStore,
  type EventOptions,
  guardMethods,
  readPackagedAsset,
  refuse,
  registerDocsRoutes,
  registerHealthRoutes,
  registerIndexRoute,
  registerRootSite,
  registerSecurity,
  registerSiteRoutes,
  resolveEventOptions,
  resolvePrefix,
  type Site,
  systemClock,
} from "@nodepass/master-api";
import { createProcessMonitor } from "@nodepass/metrics";
import { type Logger, SILENT_LOGGER } from "@nodepass/model";
import { FleetEventSchema } from "@nodepass/model/fleet";
import { type Context, Hono } from "hono";
import type { Caller, Fleet } from "../fleet.ts";
import { findMaster } from "../gateway/find-master.ts";
import { createGateway } from "../gateway/gateway.ts";
import { createPasser, type PasserOptions } from "../gateway/passer.ts";
import { createRequireToken } from "./access/require-token.ts";
import { createFleetStreams } from "./events/fleet-streams.ts";
import { HUB_DOCUMENT } from "./hub-document.ts";
import type { PublicPlaces } from "./nodepassdash.ts";
import { registerAuditRoute } from "./routes/audit.ts";
import { registerFleetEventRoutes } from "./routes/events.ts";
import { registerFleetInfoRoutes } from "./routes/fleet-info.ts";
import { registerFleetInstanceRoutes } from "./routes/instances.ts";
import { registerJoinRoute } from "./routes/join.ts";
import { registerMasterRoutes } from "./routes/masters.ts";
import { type HubFigure, registerFleetMetricsRoute } from "./routes/metrics.ts";
import type { HubRouteParts } from "./routes/parts.ts";
import { registerServiceRoutes } from "./routes/services.ts";
import { registerTokenRoutes } from "./routes/tokens.ts";
import { registerTransferRoutes } from "./routes/transfer.ts";

/** What a hub's HTTP side is made of. */
export interface HubApiOptions extends PasserOptions {
  readonly fleet: Fleet;
  /** Path in front of every route, with or without a leading slash. @default "/api" */
  readonly prefix?: string | undefined;
  /** `{mid}.<suffix>` is a master's host name. @default "": none is */
  readonly suffix?: string | undefined;
  /** The hub's API as clients reach it, for what names it. @default "http://localhost" and the prefix */
  readonly publicUrl?: string | undefined;
  /** Ports that are one master's each, by mid; see {@link HubApi.appOf}. @default none */
  readonly ports?: ReadonlyMap<string, number> | undefined;
  /** Of the program. @default "0.0.0" */
  readonly version?: string | undefined;
  /** What of the hub can do its work, for `/readyz`. @default nothing that could not */
  readonly readiness?: (() => Readonly<Record<string, boolean>>) | undefined;
  /** Figures for `/fleet/metrics`. @default none */
  readonly figures?: (() => readonly HubFigure[]) | undefined;
  /** The dashboard, under `<prefix>/ui/` and at `/`. @default none */
  readonly site?: Site | undefined;
  readonly events?: EventOptions | undefined;
  /** @default the system's */
  readonly clock?: Clock | undefined;
  /** @default nowhere */
  readonly logger?: Logger | undefined;
}

/** A hub's HTTP side: its own API and the gateway to its masters. */
export interface HubApi {
  /** Answers everything that comes to the hub's own addresses. */
  readonly app: Hono;
  /** Answers as one master: for a port of that master's own. */
  appOf(mid: string): Hono;
  /** Whether an answer's body may break off or has no end yet. */
  isStreamed(response: Response): boolean;
  /** Ends all streams, those of events with a `shutdown`. Idempotent. */
  close(): Promise<void>;
}

/**
 * The HTTP side of a hub, over a fleet that it knows only as an interface.
 *
 * @throws {ServiceError} `INVALID_OPTIONS` if an option is out of range
 */
export function createHubApi(options: HubApiOptions): HubApi {
  const { fleet, clock = systemClock, logger = SILENT_LOGGER, version = "0.0.0" } = options;
  const prefix = resolvePrefix(options.prefix ?? "/api");
  const suffix = (options.suffix ?? "").toLowerCase();
  const limits = resolveEventOptions(options.events ?? {});
  const limiter = createFailureLimiter(clock);
  const refuseWrong = createRefuseWrong({ limiter, remoteAddress });
  const passer = createPasser(options);
  const gateway = createGateway({ fleet, passer, refuseWrong, remoteAddress });
  const onError = createErrorHandler(logger);
  const tickets = createTicketStore<Caller>(clock, limits);
  const process = createProcessMonitor();
  const places: PublicPlaces = {
    url: new URL(options.publicUrl ?? `http://localhost${prefix}`),
    suffix,
    ports: options.ports ?? new Map(),
    prefixOf: (mid) => options.presence.facts(mid).prefix,
  };
  const parts: HubRouteParts = {
    fleet,
    clock,
    tickets,
    limiter,
    remoteAddress,
    requireToken: createRequireToken({ fleet, tickets, refuseWrong, remoteAddress }),
    streams: createFleetStreams({ fleet, clock, limits, logger }),
  };

  const app = new Hono();
  app.onError(onError);
  app.notFound((context) => refuse(context, 404, "Not found"));
  app.use(async (context, next) => {
    // Of two hosts, whoever is in front of the hub may have meant the other.
    if (context.req.header("host")?.includes(",")) return refuse(context, 400, "Bad request");
    const found = findMaster(context.req.raw.url, { prefix, suffix });
    return found === undefined ? next() : gateway.answer(context, found);
  });
  app.use(createCors({ revisions: true }));

  const routes = createRoutes();
  // Where npm gives two packages their own Hono each, one takes the other's default for somebody's own.
  routes.onError(onError);
  registerSecurity(routes, "A token of the fleet (`npf_…`)");
  // Made again with the zod that Hono extends, as the master's events are.
  routes.openAPIRegistry.register("FleetEvent", z.union([...FleetEventSchema.options]));
  registerFleetInfoRoutes(routes, parts);
  registerMasterRoutes(routes, parts);
  registerServiceRoutes(routes, parts);
  registerFleetInstanceRoutes(routes, parts);
  registerFleetEventRoutes(routes, parts);
  registerAuditRoute(routes, parts);
  registerFleetMetricsRoute(routes, parts, {
    process,
    streams: () => passer.streams,
    figures: options.figures ?? (() => []),
  });
  registerTransferRoutes(routes, parts, places);
  registerTokenRoutes(routes, parts);
  registerJoinRoute(routes, parts);
  registerHealthRoutes(routes, app, {
    ...{ of: "hub", impl: `nodepass-ts ${version}`, clock },
    readiness: async () => options.readiness?.() ?? {},
  });
  const document = { ...HUB_DOCUMENT, servers: [prefix, `${prefix}/v1`], version };
  registerDocsRoutes(routes, document, readPackagedAsset);
  registerIndexRoute(routes, {
    version,
    page: options.site === undefined ? "docs" : "ui/",
    places: { fleet: "fleet", masters: "fleet/masters", services: "fleet/services" },
  });
  if (options.site !== undefined) {
    registerSiteRoutes(routes, options.site);
    registerRootSite(app, options.site, prefix);
    guardMethods(app);
  }
  guardMethods(routes);
  app.route(prefix, routes);
  app.route(`${prefix}/v1`, routes);

  return {
    app,
    appOf(mid) {
      const own = new Hono();
      own.onError(onError);
      own.all("*", (context) => {
        const { pathname, search } = new URL(context.req.raw.url);
        return gateway.answer(context, { mid, target: pathname + search, underPath: false });
      });
      return own;
    },
    isStreamed: (response) =>
      passer.isStreamed(response) ||
      response.headers.get("content-type")?.startsWith("text/event-stream") === true,
    async close() {
      tickets.clear();
      process.close();
      passer.close();
      await parts.streams.close();
    },
  };
}

/** Who asks, as the server tells it. */
function remoteAddress({ env }: Context): string | undefined {
  const given: unknown = env?.remoteAddress;
  return typeof given === "string" ? given : undefined;
}
