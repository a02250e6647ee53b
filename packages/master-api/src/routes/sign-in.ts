import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { TicketStore } from "../auth/ticket-store.ts";
import { trustedRole } from "../auth/trusted.ts";
import { refuse } from "../http/error-response.ts";
import { jsonBody } from "../http/json-body.ts";
import { badRequest, tooLarge, unauthorized } from "../schemas/error.ts";
import { jsonAnswer, jsonRequest } from "../schemas/json.ts";
import type { RouteParts } from "./parts.ts";

const body = z
  .object({ token: z.string().max(128, "longer than 128 characters") })
  .openapi("SignIn");
const key = z.object({ key: z.string() }).openapi("SignedIn");

/** `/sign-in`: what a one-time link leads to. */
export function registerSignInRoute(
  app: OpenAPIHono,
  parts: RouteParts,
  links: Pick<TicketStore, "consume">,
): void {
  const checkLink: MiddlewareHandler = async (c, next) => {
    // The link is for who sits at this machine; a fleet's line gives the key to nobody.
    if (trustedRole(c) !== undefined) return refuse(c, 403, "the API key stays at its master");
    const given = body.safeParse(await c.req.json());
    // What is no token is refused as any other body that does not fit.
    if (!given.success || links.consume(given.data.token) !== undefined) return next();
    return parts.requireKey.refuse(c, "Unauthorized: this link was used, or is older than 60 s");
  };

  app.openapi(
    createRoute({
      method: "post",
      path: "/sign-in",
      operationId: "signIn",
      summary: "The API key, for the token of a one-time link",
      description:
        "Who starts a master may have it print such a link: it opens the dashboard signed in, once, " +
        "within 60 s. The token is in the link's fragment, which browsers send to nobody.",
      tags: ["master"],
      security: [],
      middleware: [jsonBody, checkLink] as const,
      request: { body: jsonRequest(body) },
      responses: {
        200: jsonAnswer("The API key", key),
        ...badRequest("token: missing"),
        ...unauthorized,
        ...tooLarge,
      },
    }),
    async (c) => c.json({ key: (await parts.master.identity()).apiKey }, 200),
  );
}
