import { z } from "zod";
import { InstanceSchema } from "./instance.ts";

/** The `data` of one event. */
export const InstanceEventSchema = z
  .object({
    type: z.enum(["initial", "create", "update", "delete", "shutdown", "log"]),
    time: z.iso.datetime({ offset: true }),
    // A union: `nullable()` would make the shared schema itself nullable in the document.
    instance: z.union([InstanceSchema, z.null()]).meta({ description: "null for `shutdown`" }),
    logs: z.string().meta({ description: "The line of a `log` event, else empty" }),
  })
  .meta({ id: "InstanceEvent" });

/** `POST /events/ticket`. */
export const TicketSchema = z
  .object({
    ticket: z.string(),
    expires: z.iso.datetime({ offset: true }),
  })
  .meta({ id: "EventTicket" });
