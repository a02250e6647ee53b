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
import { jsonAnswer } from "../schemas/json.ts";
import { InstanceIdParams, KEY_SECURITY, type RouteParts } from "./parts.ts";

const tags = ["instances"];

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
      request: { params: InstanceIdParams },
      responses: {
        200: jsonAnswer(
          "Those in force, the next to end first; none while it does not run",
          InstanceBansSchema,
        ),
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
      request: { params: InstanceIdParams, query: LiftQuerySchema },
      responses: {
        200: jsonAnswer("How many ended", LiftedBansSchema),
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
