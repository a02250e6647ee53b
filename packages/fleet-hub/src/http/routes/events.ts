import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  failure,
  jsonAnswer,
  KEY_SECURITY,
  STREAM_HEADERS,
  TICKET_SECURITY,
} from "@nodepass/master-api";
import { ServiceError } from "@nodepass/model";
import { TicketSchema } from "@nodepass/model/schemas";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import type { HubRouteParts } from "./parts.ts";
import { flag, once } from "./query.ts";

const tags = ["fleet"];

/** `/fleet/events` and the tickets for it. */
export function registerFleetEventRoutes(app: OpenAPIHono, parts: HubRouteParts): void {
  const { requireToken, streams, tickets } = parts;

  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/events",
      operationId: "watchFleet",
      summary: "What happens in the fleet, as server-sent events",
      description:
        "`retry: 3000`, each master and service as it is, then what changes: `event: fleet` and a " +
        "`data` line with a FleetEvent. With `instances=true` also the instances of all masters. A " +
        "slow reader misses no state; of failovers and alarms it is told how many were left out.",
      tags,
      security: TICKET_SECURITY,
      middleware: [requireToken.tokenOrTicket] as const,
      request: {
        query: z.object({
          ticket: once(z.string({ error: "given twice" }).max(128), "ticket"),
          instances: flag("instances", "Also the instances of all masters"),
        }),
      },
      responses: {
        200: {
          description: "The stream, until the hub stops",
          content: { "text/event-stream": { schema: z.string() } },
        },
        ...answers.query,
        ...answers.token,
        503: failure("Too many streams, or the hub is closing", "too many event streams"),
      },
    }),
    (c) => {
      if (c.req.method === "HEAD") return c.body(null, 200, STREAM_HEADERS);
      const { instances } = c.req.valid("query");
      const stream = streams.open(callerOf(c), { instances });
      if (stream === undefined) throw new ServiceError("UNAVAILABLE", "too many event streams");
      return c.body(stream, 200, STREAM_HEADERS);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/events/ticket",
      operationId: "createFleetTicket",
      summary: "A ticket that opens one stream without the token",
      description:
        "For browsers, whose EventSource sends no headers: `GET /fleet/events?ticket=…` within 30 s, " +
        "once. A body is ignored.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("viewer")] as const,
      responses: {
        201: jsonAnswer("The ticket", TicketSchema),
        ...answers.token,
      },
    }),
    (c) => {
      const { ticket, expiresAt } = tickets.issue(callerOf(c));
      return c.json({ ticket, expires: new Date(expiresAt).toISOString() }, 201);
    },
  );
}
