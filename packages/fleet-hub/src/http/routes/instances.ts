import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { jsonAnswer, KEY_SECURITY } from "@nodepass/master-api";
import { FleetInstancesSchema, parseSelector } from "@nodepass/model/fleet";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import type { HubRouteParts } from "./parts.ts";
import { once, selectorQuery } from "./query.ts";

/** `/fleet/instances`. */
export function registerFleetInstanceRoutes(app: OpenAPIHono, parts: HubRouteParts): void {
  const { fleet, requireToken } = parts;
  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/instances",
      operationId: "listFleetInstances",
      summary: "Instances of all masters, asked from them; 1,000 a page",
      tags: ["services"],
      security: KEY_SECURITY,
      middleware: [requireToken.role("viewer")] as const,
      request: {
        query: z.object({
          selector: selectorQuery(),
          master: once(z.string({ error: "given twice" }).max(256), "master"),
          status: once(z.enum(["running", "stopped", "error"]), "status"),
          cursor: once(z.string({ error: "given twice" }).max(1024), "cursor"),
        }),
      },
      responses: {
        200: jsonAnswer(
          "A page, and the masters that did not answer within 5 s",
          FleetInstancesSchema,
        ),
        ...answers.query,
        ...answers.token,
        ...answers.master,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const { selector, master, status, cursor } = c.req.valid("query");
      const query = { selector: parseSelector(selector), master, status, cursor };
      return c.json(await fleet.instances(callerOf(c), query), 200);
    },
  );
}
