import type { MasterService } from "@nodepass/model";
import type { Context, MiddlewareHandler } from "hono";
import { refuse } from "../http/error-response.ts";
import type { FailureLimiter } from "./failure-limiter.ts";
import type { TicketStore } from "./ticket-store.ts";

export interface RequireKeyParts {
  readonly master: Pick<MasterService, "verifyKey">;
  readonly limiter: FailureLimiter;
  readonly tickets: TicketStore;
  remoteAddress(context: Context): string | undefined;
}

const CHALLENGE = { "WWW-Authenticate": 'Bearer realm="nodepass"' };

/** The key of `X-API-Key`, or of `Authorization: Bearer` for tools that know only that. */
function givenKey(context: Context): string | undefined {
  const key = context.req.header("x-api-key");
  if (key !== undefined && key !== "") return key;
  return /^Bearer +(\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
}

/** The checks of who asks, one with and one without tickets. */
export interface RequireKey {
  readonly key: MiddlewareHandler;
  readonly keyOrTicket: MiddlewareHandler;
}

export function createRequireKey(parts: RequireKeyParts): RequireKey {
  const { master, limiter, tickets } = parts;

  const refuseWrong = (context: Context, message: string): Response => {
    const waitSeconds = limiter.fail(parts.remoteAddress(context) ?? "");
    if (waitSeconds === 0) return refuse(context, 401, message, CHALLENGE);
    return refuse(context, 429, "Too many wrong keys", { "Retry-After": String(waitSeconds) });
  };

  const middleware =
    (withTicket: boolean): MiddlewareHandler =>
    async (context, next) => {
      const key = givenKey(context);
      if (key !== undefined) {
        if (await master.verifyKey(key)) return next();
        return refuseWrong(context, "Unauthorized: Invalid API key");
      }
      const ticket = withTicket ? context.req.query("ticket") : undefined;
      if (ticket === undefined) {
        return refuse(context, 401, "Unauthorized: API key required", CHALLENGE);
      }
      if (tickets.consume(ticket)) return next();
      return refuseWrong(context, "Unauthorized: Invalid ticket");
    };

  return { key: middleware(false), keyOrTicket: middleware(true) };
}
