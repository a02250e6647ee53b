import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { InstanceService, MasterService } from "@nodepass/model";
import type { Context } from "hono";
import type { RequireKey } from "../auth/require-key.ts";
import type { TicketStore } from "../auth/ticket-store.ts";
import type { Clock } from "../clock.ts";
import type { EventStreams } from "../events/event-streams.ts";
import { refuse } from "../http/error-response.ts";
import { validationMessage } from "../http/validation-message.ts";

/** What the routes are made of. */
export interface RouteParts {
  readonly instances: InstanceService;
  readonly master: MasterService;
  readonly clock: Clock;
  readonly streams: EventStreams;
  readonly tickets: TicketStore;
  readonly requireKey: RequireKey;
  /** Drops the connection of a request. */
  readonly disconnect: ((context: Context) => void) | undefined;
  /** Our name and version, `impl` of `/info`. */
  readonly impl: string;
  readonly version: string;
  /** Instances with series of their own in `/metrics`. */
  readonly metricsInstances: number;
}

/** Routes that answer a request which fails its schema with 400 and `{"error"}`. */
export function createRoutes(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook: (result, context) =>
      result.success ? undefined : refuse(context, 400, validationMessage(result.error)),
  });
}

/** Who may call a route, as the document says it. */
export const KEY_SECURITY: Record<string, string[]>[] = [{ apiKey: [] }, { bearer: [] }];
/** The key, or a ticket in the query. */
export const TICKET_SECURITY: Record<string, string[]>[] = [...KEY_SECURITY, { ticket: [] }];

/** The instance in the path. */
export const InstanceIdParams = z.object({
  id: z.string().openapi({ param: { name: "id", in: "path" }, example: "a1b2c3d4" }),
});
