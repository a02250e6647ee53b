import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { ServiceError } from "@nodepass/model";
import { TicketSchema } from "@nodepass/model/schemas";
import { accessOf } from "../auth/require-key.ts";
import { badRequest, tooManyStreams, unauthorized } from "../schemas/error.ts";
import { jsonAnswer } from "../schemas/json.ts";
import { KEY_SECURITY, type RouteParts, TICKET_SECURITY } from "./parts.ts";

const tags = ["events"];

const EventsQuerySchema = z.object({
  ticket: z
    .string({ error: "given twice" })
    .max(128, "longer than 128 characters")
    .optional()
    .openapi({
      param: { name: "ticket", in: "query" },
      description: "Instead of the key's header, for browsers; works once",
    }),
});

/** Of every event stream. */
export const STREAM_HEADERS = {
  // Exactly so: the dashboard's probe compares the text.
  "Content-Type": "text/event-stream",
  // no-transform: compressing middleware and proxies keep their hands off, so nothing is held back.
  "Cache-Control": "no-cache, no-transform",
  // nginx would collect events before it passes them on.
  "X-Accel-Buffering": "no",
};

/** `/events` and the tickets for it. */
export function registerEventRoutes(app: OpenAPIHono, parts: RouteParts): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/events",
      operationId: "watchEvents",
      summary: "Everything that happens, as server-sent events",
      description:
        "`retry: 3000`, one `initial` for each instance (the API key's entry too, here without " +
        "the key), then events as they happen: `event: instance` and a `data` line with an " +
        "InstanceEvent. Comment lines keep the connection alive. A slow reader misses log lines " +
        "(it is told how many) but no state.",
      tags,
      security: TICKET_SECURITY,
      middleware: [parts.requireKey.readingOrTicket] as const,
      request: { query: EventsQuerySchema },
      responses: {
        200: {
          description: "The stream, until the master stops or the key is renewed",
          content: { "text/event-stream": { schema: z.string() } },
        },
        ...badRequest("ticket: longer than 128 characters"),
        ...unauthorized,
        ...tooManyStreams,
      },
    }),
    async (c) => {
      // A stream that nobody reads would stay open until it stalls.
      if (c.req.method === "HEAD") return c.body(null, 200, STREAM_HEADERS);
      const stream = await parts.streams.open({
        readOnly: !accessOf(c).seesTunnelKeys,
        disconnect: parts.disconnect && (() => parts.disconnect?.(c)),
      });
      if (stream === undefined) throw new ServiceError("UNAVAILABLE", "too many event streams");
      return c.body(stream, 200, STREAM_HEADERS);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/events/ticket",
      operationId: "createEventTicket",
      summary: "A ticket that opens one event stream without the key",
      description:
        "For browsers, whose EventSource sends no headers: `GET /events?ticket=…` within 30 s, " +
        "once. A body is ignored.",
      tags,
      security: KEY_SECURITY,
      middleware: [parts.requireKey.reading] as const,
      responses: {
        201: jsonAnswer("The ticket", TicketSchema),
        ...unauthorized,
      },
    }),
    (c) => {
      const { ticket, expiresAt } = parts.tickets.issue(
        accessOf(c).seesTunnelKeys ? "full" : "read",
      );
      return c.json({ ticket, expires: new Date(expiresAt).toISOString() }, 201);
    },
  );
}
