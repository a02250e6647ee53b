import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { refuse } from "../http/error-response.ts";
import { jsonBody } from "../http/json-body.ts";
import {
  badRequest,
  conflict,
  forbidden,
  notFound,
  tooLarge,
  unauthorized,
  unavailable,
} from "../schemas/error.ts";
import {
  InstanceSchema,
  KEY_INSTANCE_ID,
  keyInstance,
  toWireInstance,
  type WireInstance,
} from "../schemas/instance.ts";
import {
  InstanceChangeSchema,
  InstanceIdParams,
  InstanceUrlSchema,
  NewInstanceSchema,
} from "../schemas/instance-requests.ts";
import { type Instance, ServiceError } from "../service.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

const tags = ["instances"];
const one = { "application/json": { schema: InstanceSchema } };

/** `/instances` and `/instances/{id}`; the API key is one of them, under its own rules. */
export function registerInstanceRoutes(app: OpenAPIHono, parts: RouteParts): void {
  const { service, hub, tickets } = parts;
  const { key } = parts.requireKey;

  const keyEntry = (): WireInstance => toWireInstance(keyInstance(service, service.apiKey()));

  const existing = (id: string): Instance => {
    const instance = service.get(id);
    if (instance === undefined) throw new ServiceError("NOT_FOUND", "Instance not found");
    return instance;
  };

  const refuseKeyEntry = (id: string): void => {
    if (id !== KEY_INSTANCE_ID) return;
    throw new ServiceError("FORBIDDEN", "the API key can only be renewed: PATCH action restart");
  };

  app.openapi(
    createRoute({
      method: "get",
      path: "/instances",
      operationId: "listInstances",
      summary: "All instances, the API key's entry first",
      tags,
      security: KEY_SECURITY,
      middleware: [key] as const,
      responses: {
        200: {
          description: "The instances",
          content: { "application/json": { schema: z.array(InstanceSchema) } },
        },
        ...unauthorized,
      },
    }),
    (c) => c.json([keyEntry(), ...service.list().map(toWireInstance)], 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/instances",
      operationId: "createInstance",
      summary: "Make an instance and start it",
      tags,
      security: KEY_SECURITY,
      middleware: [key, jsonBody] as const,
      request: {
        body: { required: true, content: { "application/json": { schema: NewInstanceSchema } } },
      },
      responses: {
        201: { description: "The new instance", content: one },
        ...badRequest,
        ...unauthorized,
        ...conflict,
        ...tooLarge,
        ...unavailable,
      },
    }),
    async (c) => c.json(toWireInstance(await service.create(c.req.valid("json"))), 201),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/instances/{id}",
      operationId: "getInstance",
      summary: "One instance",
      tags,
      security: KEY_SECURITY,
      middleware: [key] as const,
      request: { params: InstanceIdParams },
      responses: {
        200: { description: "The instance", content: one },
        ...badRequest,
        ...unauthorized,
        ...notFound,
      },
    }),
    (c) => {
      const { id } = c.req.valid("param");
      return c.json(id === KEY_INSTANCE_ID ? keyEntry() : toWireInstance(existing(id)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/instances/{id}",
      operationId: "changeInstance",
      summary: "Change an instance or make it do something",
      description:
        "Only what is present changes; nothing is applied unless all of it is valid. On the API " +
        "key's entry `action: restart` makes a new key, answered in `url`, and ends all event " +
        "streams; anything else leaves it as it is.",
      tags,
      security: KEY_SECURITY,
      middleware: [key, jsonBody] as const,
      request: {
        params: InstanceIdParams,
        body: { required: true, content: { "application/json": { schema: InstanceChangeSchema } } },
      },
      responses: {
        200: { description: "The instance in the state reached", content: one },
        ...badRequest,
        ...unauthorized,
        ...notFound,
        ...conflict,
        ...tooLarge,
        ...unavailable,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const change = c.req.valid("json");
      if (id === KEY_INSTANCE_ID) {
        if (change.action !== "restart") return c.json(keyEntry(), 200);
        const renewed = await service.renewKey();
        tickets.clear();
        hub.endAll();
        return c.json(toWireInstance(keyInstance(service, renewed)), 200);
      }
      const current = existing(id);
      const { alias, restart, action, meta } = change;
      const changesMeta = meta?.peer !== undefined || meta?.tags !== undefined;
      const changes = alias !== undefined || restart !== undefined || action !== undefined;
      if (!changes && !changesMeta) return c.json(toWireInstance(current), 200);
      return c.json(toWireInstance(await service.update(id, change)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/instances/{id}",
      operationId: "replaceInstanceUrl",
      summary: "Give an instance another URL; it is restarted, its counters stay",
      tags,
      security: KEY_SECURITY,
      middleware: [key, jsonBody] as const,
      request: {
        params: InstanceIdParams,
        body: { required: true, content: { "application/json": { schema: InstanceUrlSchema } } },
      },
      responses: {
        200: { description: "The instance in the state reached", content: one },
        ...badRequest,
        ...unauthorized,
        ...forbidden,
        ...notFound,
        ...conflict,
        ...tooLarge,
        ...unavailable,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { url } = c.req.valid("json");
      refuseKeyEntry(id);
      if (existing(id).url === url) {
        throw new ServiceError("SAME_URL", "the instance has this URL already");
      }
      return c.json(toWireInstance(await service.replaceUrl(id, url)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/instances/{id}",
      operationId: "deleteInstance",
      summary: "Stop an instance and forget it",
      tags,
      security: KEY_SECURITY,
      middleware: [key] as const,
      request: { params: InstanceIdParams },
      responses: {
        204: { description: "It is stopped and gone" },
        ...badRequest,
        ...unauthorized,
        ...forbidden,
        ...notFound,
        ...unavailable,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      refuseKeyEntry(id);
      existing(id);
      await service.remove(id);
      return c.body(null, 204);
    },
  );

  // `/instances/` is `/instances/{id}` with the id forgotten, not a misspelt list.
  app.on(["GET", "PATCH", "PUT", "DELETE"], "/instances/", key, (c) =>
    refuse(c, 400, "Instance ID is required"),
  );
}
