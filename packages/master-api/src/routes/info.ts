import { createRoute, type OpenAPIHono, type z } from "@hono/zod-openapi";
import { API_LEVEL, type MasterInfo, wireInteger } from "@nodepass/model";
import { InfoSchema, MasterAliasSchema } from "@nodepass/model/schemas";
import { jsonBody } from "../http/json-body.ts";
import {
  badRequest,
  tooLarge,
  unauthorized,
  unauthorizedOrReading,
  unavailable,
} from "../schemas/error.ts";
import { jsonAnswer, jsonRequest } from "../schemas/json.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

const tags = ["master"];

/** What `GET /info` answers. */
export type WireInfo = z.infer<typeof InfoSchema>;

/** Exactly the documented fields, numbers as integers. */
function toWireInfo(info: MasterInfo, impl: string): WireInfo {
  const all = new Map<string, unknown>(Object.entries({ ...info, ver: API_LEVEL, impl }));
  const wire = Object.keys(InfoSchema.shape).map((name) => {
    const value = all.get(name);
    return [name, typeof value === "number" ? wireInteger(value) : value];
  });
  // The names are those of the schema, the values those of the interface.
  return Object.fromEntries(wire) as WireInfo;
}

/** `/info`. */
export function registerInfoRoutes(app: OpenAPIHono, parts: RouteParts): void {
  const { master, impl } = parts;

  app.openapi(
    createRoute({
      method: "get",
      path: "/info",
      operationId: "getInfo",
      summary: "The master and its host",
      tags,
      security: KEY_SECURITY,
      middleware: [parts.requireKey.reading] as const,
      responses: { 200: jsonAnswer("The master", InfoSchema), ...unauthorized },
    }),
    async (c) => c.json(toWireInfo(await master.info(), impl), 200),
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
        body: jsonRequest(MasterAliasSchema),
      },
      responses: {
        200: jsonAnswer("The master with its name", InfoSchema),
        ...badRequest("alias: missing"),
        ...unauthorizedOrReading,
        ...tooLarge,
        ...unavailable,
      },
    }),
    async (c) => {
      const { alias } = c.req.valid("json");
      return c.json(toWireInfo(await master.setAlias(alias), impl), 200);
    },
  );
}
