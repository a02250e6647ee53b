import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { JoinRequestSchema, SealedJoinAnswerSchema } from "@nodepass/fleet-protocol";
import {
  badRequest,
  failure,
  jsonAnswer,
  jsonBody,
  jsonRequest,
  refuse,
  tooLarge,
  unauthorized,
} from "@nodepass/master-api";
import type { MiddlewareHandler } from "hono";
import { answers } from "../answers.ts";
import type { HubRouteParts } from "./parts.ts";

const request = z.object(JoinRequestSchema.shape).openapi("FleetJoin");
const answer = z.object(SealedJoinAnswerSchema.shape).openapi("SealedFleetJoin");

/** `/fleet/join`: how a master comes in. What proves it is in the body. */
export function registerJoinRoute(app: OpenAPIHono, parts: HubRouteParts): void {
  /** Guessing tokens is slowed down as guessing keys is. */
  const countRefusals: MiddlewareHandler = async (c, next) => {
    await next();
    if (c.res.status !== 403) return;
    const wait = parts.limiter.fail(parts.remoteAddress(c) ?? "");
    if (wait === 0) return;
    c.res = refuse(c, 429, "Too many wrong keys", { "Retry-After": String(wait) });
  };

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/join",
      operationId: "joinFleet",
      summary: "A master comes in with a join token, or renews what it was given",
      description:
        "`nodepass-master --join TOKEN` asks this. The request is signed with the master's key; the " +
        "answer is in a box that only it can open.",
      tags: ["tokens"],
      security: [],
      middleware: [countRefusals, jsonBody] as const,
      request: { body: jsonRequest(request) },
      responses: {
        200: jsonAnswer("The fleet's key and the answer, boxed", answer),
        ...badRequest("nkey: Invalid string"),
        ...unauthorized,
        403: failure("The token or the signature is not good", "the join token has ended"),
        404: failure("There is no such master to renew", "there is no such master"),
        ...answers.conflict,
        ...tooLarge,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const from = parts.remoteAddress(c) ?? "";
      return c.json(await parts.fleet.join(c.req.valid("json"), from), 200);
    },
  );
}
