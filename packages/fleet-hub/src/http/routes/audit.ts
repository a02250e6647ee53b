import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { jsonAnswer, KEY_SECURITY } from "@nodepass/master-api";
import { AuditEntrySchema } from "@nodepass/model/fleet";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import type { HubRouteParts } from "./parts.ts";

const count = (name: string, highest: number) => {
  const error = `not an integer from 1 to ${highest}`;
  return z.coerce
    .number({ error })
    .int(error)
    .min(1, error)
    .max(highest, error)
    .openapi({ param: { name, in: "query" }, type: "integer" });
};

/** `/fleet/audit`. */
export function registerAuditRoute(app: OpenAPIHono, parts: HubRouteParts): void {
  const { fleet, requireToken } = parts;
  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/audit",
      operationId: "readAudit",
      summary: "Who changed what, the newest first",
      tags: ["fleet"],
      security: KEY_SECURITY,
      middleware: [requireToken.role("admin")] as const,
      request: {
        query: z.object({
          before: count("before", Number.MAX_SAFE_INTEGER).optional(),
          limit: count("limit", 1000).default(100),
        }),
      },
      responses: {
        200: jsonAnswer(
          "Records; the next page is `before` the lowest `sequence`",
          z.array(AuditEntrySchema),
        ),
        ...answers.query,
        ...answers.token,
        ...answers.unavailable,
      },
    }),
    async (c) => c.json([...(await fleet.audit(callerOf(c), c.req.valid("query")))], 200),
  );
}
