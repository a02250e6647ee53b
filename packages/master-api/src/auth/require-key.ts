import type { KeyAccess, MasterService } from "@nodepass/model";
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

/** Tells how to prove oneself. */
export const CHALLENGE = { "WWW-Authenticate": 'Bearer realm="nodepass"' };

/** The key of `X-API-Key`, or of `Authorization: Bearer` for tools that know only that. */
export function givenKey(context: Context): string | undefined {
  const key = context.req.header("x-api-key");
  if (key !== undefined && key !== "") return key;
  return /^Bearer +(\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
}

/** The checks of who asks. */
export interface RequireKey {
  /** The API key. One that may only read is told so. */
  readonly key: MiddlewareHandler;
  /** That, or the key that may only read. */
  readonly reading: MiddlewareHandler;
  /** Either key, or a ticket. */
  readonly readingOrTicket: MiddlewareHandler;
  /** Answers something that was no key, and counts it as one that was wrong. */
  refuse(context: Context, message: string): Response;
}

/** Whether the request that is being answered came with a key that may only read. */
export function isReadOnly(context: Context): boolean {
  return context.get(ACCESS) === "read";
}

const ACCESS = "nodepassAccess";

export function createRequireKey(parts: RequireKeyParts): RequireKey {
  const { master, limiter, tickets } = parts;

  const refuseWrong = (context: Context, message: string): Response => {
    const waitSeconds = limiter.fail(parts.remoteAddress(context) ?? "");
    if (waitSeconds === 0) return refuse(context, 401, message, CHALLENGE);
    return refuse(context, 429, "Too many wrong keys", { "Retry-After": String(waitSeconds) });
  };

  const check =
    (needs: KeyAccess, withTicket: boolean): MiddlewareHandler =>
    async (context, next) => {
      const key = givenKey(context);
      if (key !== undefined) {
        const access = await master.verifyKey(key);
        if (access === undefined) return refuseWrong(context, "Unauthorized: Invalid API key");
        if (needs === "full" && access === "read") {
          return refuse(context, 403, "this key may only read");
        }
        context.set(ACCESS, access);
        return next();
      }
      const ticket = withTicket ? context.req.query("ticket") : undefined;
      if (ticket === undefined) {
        return refuse(context, 401, "Unauthorized: API key required", CHALLENGE);
      }
      const access = tickets.consume(ticket);
      if (access === undefined) return refuseWrong(context, "Unauthorized: Invalid ticket");
      context.set(ACCESS, access);
      return next();
    };

  return {
    key: check("full", false),
    reading: check("read", false),
    readingOrTicket: check("read", true),
    refuse: refuseWrong,
  };
}
