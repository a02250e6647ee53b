import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { ServiceError } from "@nodepass/model";
import { InstanceBansSchema, LiftedBansSchema } from "@nodepass/model/schemas";
import {
  badRequest,
  notFound,
  unauthorized,
  unauthorizedOrReading,
  unavailable,
} from "../schemas/error.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

const tags = ["instances"];

const params = z.object({
  id: z.string().openapi({ param: { name: "id", in: "path" }, example: "a1b2c3d4" }),
});

const LiftQuerySchema = z.object({
  address: z
    .string({ error: "given twice" })
    .min(1, "is empty")
    .max(64, "is no address")
    .optional()
    .openapi({
      param: { name: "address", in: "query" },
      description: "The ban of this address; all of the instance if absent",
      example: "192.0.2.1",
    }),
});

/** Addresses that an instance refuses at its tunnel port for a while. */
export function registerInstanceBanRoutes(app: OpenAPIHono, parts: RouteParts): void {
  const { instances } = parts;
  const { key, reading } = parts.requireKey;

  app.openapi(
    createRoute({
      method: "get",
      path: "/instances/{id}/bans",
      operationId: "getInstanceBans",
      summary: "Addresses that failed to prove themselves and are refused for a while",
      tags,
      security: KEY_SECURITY,
      middleware: [reading] as const,
      request: { params },
      responses: {
        200: {
          description: "Those in force, the next to end first; none while it does not run",
          content: { "application/json": { schema: InstanceBansSchema } },
        },
        ...unauthorized,
        ...notFound,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const bans = await instances.bans(id);
      return c.json({ bans: bans.map((ban) => ({ ...ban })) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/instances/{id}/bans",
      operationId: "liftInstanceBans",
      summary: "End bans before their time",
      tags,
      security: KEY_SECURITY,
      middleware: [key] as const,
      request: { params, query: LiftQuerySchema },
      responses: {
        200: {
          description: "How many ended",
          content: { "application/json": { schema: LiftedBansSchema } },
        },
        ...badRequest("address: is empty"),
        ...unauthorizedOrReading,
        ...notFound,
        ...unavailable,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { address } = c.req.valid("query");
      const lifted = await instances.liftBans(id, address);
      if (lifted === 0 && address !== undefined) {
        throw new ServiceError("NOT_FOUND", `address ${address} is not banned`);
      }
      return c.json({ lifted }, 200);
    },
  );
}
