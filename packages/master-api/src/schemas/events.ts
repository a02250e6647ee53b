import { z } from "@hono/zod-openapi";
import { InstanceSchema } from "./instance.ts";

/** The `data` of one event. */
export const InstanceEventSchema = z
  .object({
    type: z.enum(["initial", "create", "update", "delete", "shutdown", "log"]),
    time: z.iso.datetime({ offset: true }),
    // A union: `nullable()` would make the shared schema itself nullable in the document.
    instance: z.union([InstanceSchema, z.null()]).openapi({ description: "null for `shutdown`" }),
    logs: z.string().openapi({ description: "The line of a `log` event, else empty" }),
  })
  .openapi("InstanceEvent");

/** `POST /events/ticket`. */
export const TicketSchema = z
  .object({
    ticket: z.string(),
    expires: z.iso.datetime({ offset: true }),
  })
  .openapi("EventTicket");

export const EventsQuerySchema = z.object({
  ticket: z
    .string({ error: "given twice" })
    .max(128, "longer than 128 characters")
    .optional()
    .openapi({
      param: { name: "ticket", in: "query" },
      description: "Instead of the key's header, for browsers; works once",
    }),
});
