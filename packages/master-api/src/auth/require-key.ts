import type { KeyAccess, MasterService } from "@nodepass/model";
import type { FleetRole } from "@nodepass/model/fleet";
import type { Context, MiddlewareHandler } from "hono";
import { refuse } from "../http/error-response.ts";
import type { FailureLimiter } from "./failure-limiter.ts";
import type { TicketStore } from "./ticket-store.ts";
import { trustedRole } from "./trusted.ts";

export interface RequireKeyParts {
  readonly master: Pick<MasterService, "verifyKey">;
  readonly limiter: FailureLimiter;
  readonly tickets: TicketStore;
  remoteAddress(context: Context): string | undefined;
}

const CHALLENGE = { "WWW-Authenticate": 'Bearer realm="nodepass"' };

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
  /** The same for what makes keys or gives the API key away. */
  readonly makingKeys: MiddlewareHandler;
  /** That, or the key that may only read. */
  readonly reading: MiddlewareHandler;
  /** Either key, or a ticket. */
  readonly readingOrTicket: MiddlewareHandler;
  /** Answers something that was no key, and counts it as one that was wrong. */
  refuse(context: Context, message: string): Response;
}

/** What the request that is being answered may do and be shown. */
export interface Access {
  readonly level: KeyAccess;
  /** Keys in the URLs of tunnels. */
  readonly seesTunnelKeys: boolean;
  readonly seesApiKey: boolean;
  readonly makesKeys: boolean;
}

const NAME = "nodepassAccess";

/** What a key gives, or a ticket for one. */
const BY_KEY: Readonly<Record<KeyAccess, Access>> = {
  full: { level: "full", seesTunnelKeys: true, seesApiKey: true, makesKeys: true },
  read: { level: "read", seesTunnelKeys: false, seesApiKey: false, makesKeys: false },
};

/** What a role gives; the API key is this master's own, and stays here. */
const BY_ROLE: Readonly<Record<FleetRole, Access>> = {
  viewer: BY_KEY.read,
  operator: { level: "full", seesTunnelKeys: false, seesApiKey: false, makesKeys: false },
  admin: { level: "full", seesTunnelKeys: true, seesApiKey: false, makesKeys: true },
};

/** Of a request that one of the checks has let in. */
export function accessOf(context: Context): Access {
  return context.get(NAME);
}

/** Answers who has shown no key. */
export function refuseKeyless(context: Context): Response {
  return refuse(context, 401, "Unauthorized: API key required", CHALLENGE);
}

/** Answers what was no key, and counts it. */
export type RefuseWrong = (context: Context, message: string) => Response;

/** Wrong keys get 401, and too many of them 429. */
export function createRefuseWrong(
  parts: Pick<RequireKeyParts, "limiter" | "remoteAddress">,
): RefuseWrong {
  return (context, message) => {
    const waitSeconds = parts.limiter.fail(parts.remoteAddress(context) ?? "");
    if (waitSeconds === 0) return refuse(context, 401, message, CHALLENGE);
    return refuse(context, 429, "Too many wrong keys", { "Retry-After": String(waitSeconds) });
  };
}

export function createRequireKey(parts: RequireKeyParts): RequireKey {
  const { master, tickets } = parts;
  const refuseWrong = createRefuseWrong(parts);

  type Needs = KeyAccess | "keys";
  const missing = (needs: Needs, { level, makesKeys }: Access): string | undefined => {
    if (needs !== "read" && level === "read") return "may only read";
    return needs === "keys" && !makesKeys ? "may neither make nor be given keys" : undefined;
  };

  const check =
    (needs: Needs, withTicket: boolean): MiddlewareHandler =>
    async (context, next) => {
      const admit = (who: string, access: Access): Response | Promise<void> => {
        const lacks = missing(needs, access);
        if (lacks !== undefined) return refuse(context, 403, `${who} ${lacks}`);
        context.set(NAME, access);
        return next();
      };
      const role = trustedRole(context);
      if (role !== undefined) return admit(`the role ${role}`, BY_ROLE[role]);
      const key = givenKey(context);
      if (key !== undefined) {
        const level = await master.verifyKey(key);
        if (level === undefined) return refuseWrong(context, "Unauthorized: Invalid API key");
        return admit("this key", BY_KEY[level]);
      }
      const ticket = withTicket ? context.req.query("ticket") : undefined;
      if (ticket === undefined) {
        return refuseKeyless(context);
      }
      const level = tickets.consume(ticket);
      if (level === undefined) return refuseWrong(context, "Unauthorized: Invalid ticket");
      return admit("this ticket", BY_KEY[level]);
    };

  return {
    key: check("full", false),
    makingKeys: check("keys", false),
    reading: check("read", false),
    readingOrTicket: check("read", true),
    refuse: refuseWrong,
  };
}
