import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { badRequest, unauthorizedOrReading, unavailable } from "../schemas/error.ts";
import { jsonAnswer } from "../schemas/json.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

const params = z.object({
  access: z.enum(["full", "read"], { error: "neither full nor read" }).openapi({
    param: { name: "access", in: "path" },
    description: "`full` is the API key, `read` one that may only read",
  }),
});

const KeySchema = z.object({ key: z.string() }).openapi("ApiKey");

/** `/keys`: new keys. */
export function registerKeyRoutes(app: OpenAPIHono, parts: RouteParts): void {
  const { master, streams, tickets } = parts;

  app.openapi(
    createRoute({
      method: "post",
      path: "/keys/{access}",
      operationId: "renewKey",
      summary: "Make a new key; the old one is refused from then on",
      description:
        "The key that may only read (GET, events, metrics) sees neither the API key nor the " +
        "tunnels' keys; there is none until this makes one. All event streams end. A body is " +
        "ignored.",
      tags: ["master"],
      security: KEY_SECURITY,
      middleware: [parts.requireKey.makingKeys] as const,
      request: { params },
      responses: {
        201: jsonAnswer("The new key", KeySchema),
        ...badRequest("access: neither full nor read"),
        ...unauthorizedOrReading,
        ...unavailable,
      },
    }),
    async (c) => {
      const { access } = c.req.valid("param");
      const key = await master.renewKey(access);
      tickets.clear();
      streams.endAll();
      return c.json({ key }, 201);
    },
  );
}
