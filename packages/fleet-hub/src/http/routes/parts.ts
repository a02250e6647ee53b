import type { Clock, FailureLimiter, TicketStore } from "@nodepass/master-api";
import type { Context } from "hono";
import type { Caller, Fleet } from "../../fleet.ts";
import type { RequireToken } from "../access/require-token.ts";
import type { FleetStreams } from "../events/fleet-streams.ts";

/** What the routes of a hub are made of. */
export interface HubRouteParts {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly requireToken: RequireToken;
  readonly tickets: TicketStore<Caller>;
  readonly streams: FleetStreams;
  /** Counts wrong tokens. */
  readonly limiter: FailureLimiter;
  remoteAddress(context: Context): string | undefined;
}
