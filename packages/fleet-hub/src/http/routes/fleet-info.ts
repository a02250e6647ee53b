import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { jsonAnswer, KEY_SECURITY } from "@nodepass/master-api";
import { FleetInfoSchema } from "@nodepass/model/fleet";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import type { HubRouteParts } from "./parts.ts";

/** `/fleet` itself, and what concerns all of it. */
export function registerFleetInfoRoutes(app: OpenAPIHono, parts: HubRouteParts): void {
  const { fleet, requireToken } = parts;

  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet",
      operationId: "getFleet",
      summary: "The fleet: who leads, its engine, what is wrong with it",
      tags: ["fleet"],
      security: KEY_SECURITY,
      middleware: [requireToken.role("viewer")] as const,
      responses: {
        200: jsonAnswer("The fleet", FleetInfoSchema),
        ...answers.token,
      },
    }),
    (c) => c.json(fleet.info(callerOf(c)), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/failover/resume",
      operationId: "resumeFailover",
      summary: "Go on with failovers after `mass-loss`",
      description:
        "When more masters are lost within a minute than the fleet loses by accident, its hub " +
        "suspects itself and moves nothing until somebody says so. A body is ignored.",
      tags: ["fleet"],
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator")] as const,
      responses: {
        204: { description: "Failovers go on" },
        ...answers.token,
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      await fleet.resumeFailover(callerOf(c));
      return c.body(null, 204);
    },
  );
}
