import {
  givenKey,
  type RefuseWrong,
  refuse,
  refuseKeyless,
  type TicketStore,
} from "@nodepass/master-api";
import { type FleetRole, hasRole } from "@nodepass/model/fleet";
import type { Context, MiddlewareHandler } from "hono";
import type { Caller, Fleet } from "../../fleet.ts";

/** What tells who asks. */
export interface RequireTokenParts {
  readonly fleet: Pick<Fleet, "verifyToken">;
  readonly tickets: TicketStore<Caller>;
  readonly refuseWrong: RefuseWrong;
  remoteAddress(context: Context): string | undefined;
}

const NAME = "fleetCaller";

/** Who asks: a check has let them in. */
export function callerOf(context: Context): Caller {
  return context.get(NAME);
}

/** The checks of who asks a hub. */
export interface RequireToken {
  /** A token that may at least so much. */
  role(least: FleetRole): MiddlewareHandler;
  /** Any token, or a ticket for one. */
  readonly tokenOrTicket: MiddlewareHandler;
}

export function createRequireToken(parts: RequireTokenParts): RequireToken {
  const check =
    (least: FleetRole, withTicket: boolean): MiddlewareHandler =>
    async (context, next) => {
      const admit = (caller: Caller): Response | Promise<void> => {
        if (!hasRole(caller.role, least)) {
          const message = `the role ${caller.role} may not do this: it takes ${least}`;
          return refuse(context, 403, message);
        }
        context.set(NAME, caller);
        return next();
      };
      const from = parts.remoteAddress(context) ?? "";
      const key = givenKey(context);
      if (key !== undefined) {
        const caller = parts.fleet.verifyToken(key, from);
        if (caller !== undefined) return admit(caller);
        return parts.refuseWrong(context, "Unauthorized: Invalid API key");
      }
      const ticket = withTicket ? context.req.query("ticket") : undefined;
      if (ticket === undefined) return refuseKeyless(context);
      const caller = parts.tickets.consume(ticket);
      if (caller !== undefined) return admit({ ...caller, from });
      return parts.refuseWrong(context, "Unauthorized: Invalid ticket");
    };

  return { role: (least) => check(least, false), tokenOrTicket: check("viewer", true) };
}
