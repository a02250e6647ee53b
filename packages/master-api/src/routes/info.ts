import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { jsonBody } from "../http/json-body.ts";
import { badRequest, tooLarge, unauthorized, unavailable } from "../schemas/error.ts";
import { InfoSchema, MasterAliasSchema, toWireInfo } from "../schemas/master.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

const tags = ["master"];
const content = { "application/json": { schema: InfoSchema } };

/** `/info`. */
export function registerInfoRoutes(app: OpenAPIHono, parts: RouteParts): void {
  const { service, impl } = parts;

  app.openapi(
    createRoute({
      method: "get",
      path: "/info",
      operationId: "getInfo",
      summary: "The master and its host",
      tags,
      security: KEY_SECURITY,
      middleware: [parts.requireKey.key] as const,
      responses: { 200: { description: "The master", content }, ...unauthorized },
    }),
    async (c) => c.json(toWireInfo(await service.info(), impl), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/info",
      operationId: "nameMaster",
      summary: "Name the master",
      tags,
      security: KEY_SECURITY,
      middleware: [parts.requireKey.key, jsonBody] as const,
      request: {
        body: { required: true, content: { "application/json": { schema: MasterAliasSchema } } },
      },
      responses: {
        200: { description: "The master with its name", content },
        ...badRequest,
        ...unauthorized,
        ...tooLarge,
        ...unavailable,
      },
    }),
    async (c) => {
      const { alias } = c.req.valid("json");
      return c.json(toWireInfo(await service.setAlias(alias), impl), 200);
    },
  );
}
