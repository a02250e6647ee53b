import {
  type Clock,
  createErrorHandler,
  createFailureLimiter,
  refuse,
  systemClock,
} from "@nodepass/master-api";
import { type Logger, SILENT_LOGGER } from "@nodepass/model";
import { type Context, Hono } from "hono";
import type { Fleet } from "../fleet.ts";
import { findMaster } from "../gateway/find-master.ts";
import { createGateway } from "../gateway/gateway.ts";
import { createPasser, type PasserOptions } from "../gateway/passer.ts";

/** What a hub's HTTP side is made of. */
export interface HubApiOptions extends PasserOptions {
  readonly fleet: Fleet;
  /** Path in front of every route. @default "/api" */
  readonly prefix?: string | undefined;
  /** `{mid}.<suffix>` is a master's host name. @default "": none is */
  readonly suffix?: string | undefined;
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
  /** Ends all streams. Idempotent. */
  close(): Promise<void>;
}

export function createHubApi(options: HubApiOptions): HubApi {
  const { fleet, prefix = "/api", suffix = "" } = options;
  const { clock = systemClock, logger = SILENT_LOGGER } = options;
  const limiter = createFailureLimiter(clock);
  const passer = createPasser(options);
  const gateway = createGateway({ fleet, passer, limiter, remoteAddress });
  const onError = createErrorHandler(logger);

  const app = new Hono();
  app.onError(onError);
  app.use(async (context, next) => {
    // Of two hosts, whoever is in front of the hub may have meant the other.
    if (context.req.header("host")?.includes(",")) return refuse(context, 400, "Bad request");
    const found = findMaster(context.req.raw.url, { prefix, suffix: suffix.toLowerCase() });
    return found === undefined ? next() : gateway.answer(context, found);
  });
  app.notFound((context) => refuse(context, 404, "Not found"));

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
      passer.close();
    },
  };
}

/** Who asks, as the server tells it. */
function remoteAddress({ env }: Context): string | undefined {
  const given: unknown = env?.remoteAddress;
  return typeof given === "string" ? given : undefined;
}
