import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { failure, jsonAnswer, jsonBody, jsonRequest, KEY_SECURITY } from "@nodepass/master-api";
import { CreatedTokenSchema, FleetTokenSchema, NewTokenSchema } from "@nodepass/model/fleet";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import type { HubRouteParts } from "./parts.ts";

const tags = ["tokens"];

/** `/fleet/tokens`. */
export function registerTokenRoutes(app: OpenAPIHono, parts: HubRouteParts): void {
  const { fleet, requireToken } = parts;
  const admin = requireToken.role("admin");

  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/tokens",
      operationId: "listTokens",
      summary: "Tokens, without their secrets",
      tags,
      security: KEY_SECURITY,
      middleware: [admin] as const,
      responses: {
        200: jsonAnswer("The tokens", z.array(FleetTokenSchema)),
        ...answers.token,
      },
    }),
    (c) => c.json([...fleet.tokens(callerOf(c))], 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/tokens",
      operationId: "createToken",
      summary: "Make a token: for the API, or for masters to join with",
      description: "The secret is in this answer, and in no other.",
      tags,
      security: KEY_SECURITY,
      middleware: [admin, jsonBody] as const,
      request: {
        body: jsonRequest(NewTokenSchema),
      },
      responses: {
        201: jsonAnswer("The token with its secret", CreatedTokenSchema),
        ...answers.body,
        ...answers.token,
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => c.json(await fleet.createToken(callerOf(c), c.req.valid("json")), 201),
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/fleet/tokens/{id}",
      operationId: "removeToken",
      summary: "Make a token worthless",
      description: "Masters that have joined with it stay.",
      tags,
      security: KEY_SECURITY,
      middleware: [admin] as const,
      request: {
        params: z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) }),
      },
      responses: {
        204: { description: "It is worthless" },
        ...answers.token,
        404: failure("There is no such token", "there is no such token"),
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      await fleet.removeToken(callerOf(c), c.req.valid("param").id);
      return c.body(null, 204);
    },
  );
}
