import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  type Instance,
  KEY_INSTANCE_ID,
  ServiceError,
  toWireInstance,
  type WireInstance,
} from "@nodepass/model";
import {
  CreatedInstanceSchema,
  InstanceChangeSchema,
  InstanceSchema,
  InstanceUrlSchema,
  NewInstanceSchema,
  ReplacedInstanceSchema,
} from "@nodepass/model/schemas";
import { type Access, accessOf } from "../auth/require-key.ts";
import { refuse } from "../http/error-response.ts";
import { jsonBody } from "../http/json-body.ts";
import { keyEntry, withoutKeys } from "../instance-view.ts";
import {
  badRequest,
  conflict,
  notFound,
  tooLarge,
  unauthorized,
  unauthorizedOrReading,
  unavailable,
} from "../schemas/error.ts";
import { jsonAnswer, jsonRequest } from "../schemas/json.ts";
import { InstanceIdParams, KEY_SECURITY, type RouteParts } from "./parts.ts";

const tags = ["instances"];

/** `/instances` and `/instances/{id}`; the API key is one of them, under its own rules. */
export function registerInstanceRoutes(app: OpenAPIHono, parts: RouteParts): void {
  const { instances, master, streams, tickets } = parts;
  const { key, reading } = parts.requireKey;

  const wireKey = async ({ seesApiKey }: Access): Promise<WireInstance> => {
    const identity = await master.identity();
    return toWireInstance(keyEntry(identity, seesApiKey ? identity.apiKey : ""));
  };

  const toWire = (instance: Instance, { seesTunnelKeys }: Access): WireInstance =>
    toWireInstance(seesTunnelKeys ? instance : withoutKeys(instance));

  const existing = async (id: string): Promise<Instance> => {
    const instance = await instances.get(id);
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
      middleware: [reading] as const,
      responses: {
        200: jsonAnswer("The instances", z.array(InstanceSchema)),
        ...unauthorized,
      },
    }),
    async (c) => {
      const access = accessOf(c);
      const [key, all] = await Promise.all([wireKey(access), instances.list()]);
      return c.json([key, ...all.map((instance) => toWire(instance, access))], 200);
    },
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
        body: jsonRequest(NewInstanceSchema),
      },
      responses: {
        201: jsonAnswer(
          "The new instance, and what was overlooked in its URL",
          CreatedInstanceSchema,
        ),
        ...badRequest("url: missing"),
        ...unauthorizedOrReading,
        ...conflict,
        ...tooLarge,
        ...unavailable,
      },
    }),
    async (c) => {
      const created = await instances.create(c.req.valid("json"));
      const wire = toWire(created, accessOf(c));
      return c.json({ ...wire, warnings: [...created.warnings] }, 201);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/instances/{id}",
      operationId: "getInstance",
      summary: "One instance",
      tags,
      security: KEY_SECURITY,
      middleware: [reading] as const,
      request: { params: InstanceIdParams },
      responses: {
        200: jsonAnswer("The instance", InstanceSchema),
        ...badRequest("Instance ID is required"),
        ...unauthorized,
        ...notFound,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const access = accessOf(c);
      if (id === KEY_INSTANCE_ID) return c.json(await wireKey(access), 200);
      return c.json(toWire(await existing(id), access), 200);
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
        body: jsonRequest(InstanceChangeSchema),
      },
      responses: {
        200: jsonAnswer("The instance in the state reached", InstanceSchema),
        ...badRequest("alias: expected string, received number"),
        ...unauthorizedOrReading,
        ...notFound,
        ...conflict,
        ...tooLarge,
        ...unavailable,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const change = c.req.valid("json");
      const access = accessOf(c);
      if (id === KEY_INSTANCE_ID) {
        if (change.action !== "restart") return c.json(await wireKey(access), 200);
        if (!access.makesKeys) throw new ServiceError("FORBIDDEN", "this role makes no keys");
        const renewed = await master.renewKey("full");
        tickets.clear();
        streams.endAll();
        const shown = access.seesApiKey ? renewed : "";
        return c.json(toWireInstance(keyEntry(await master.identity(), shown)), 200);
      }
      const current = await existing(id);
      const { alias, restart, action, meta } = change;
      const changesMeta = meta?.peer !== undefined || meta?.tags !== undefined;
      const changes = alias !== undefined || restart !== undefined || action !== undefined;
      if (!changes && !changesMeta) return c.json(toWire(current, access), 200);
      return c.json(toWire(await instances.update(id, change), access), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/instances/{id}",
      operationId: "replaceInstanceUrl",
      summary: "Give an instance another URL; its counters stay",
      description:
        "What can change while connections go on does; else the instance is restarted. The answer " +
        "says which parts of the URL were the one and which the other.",
      tags,
      security: KEY_SECURITY,
      middleware: [key, jsonBody] as const,
      request: {
        params: InstanceIdParams,
        body: jsonRequest(InstanceUrlSchema),
      },
      responses: {
        200: jsonAnswer(
          "The instance in the state reached, and what was done to reach it",
          ReplacedInstanceSchema,
        ),
        ...badRequest("url: missing"),
        ...unauthorizedOrReading,
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
      if ((await existing(id)).url === url) {
        throw new ServiceError("SAME_URL", "the instance has this URL already");
      }
      const { warnings, changes, ...replaced } = await instances.replaceUrl(id, url);
      return c.json(
        {
          ...toWire(replaced, accessOf(c)),
          warnings: [...warnings],
          changes: { inPlace: [...changes.inPlace], restarted: [...changes.restarted] },
        },
        200,
      );
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
        ...badRequest("Instance ID is required"),
        ...unauthorizedOrReading,
        ...notFound,
        ...unavailable,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      refuseKeyEntry(id);
      await existing(id);
      await instances.remove(id);
      return c.body(null, 204);
    },
  );

  // `/instances/` is `/instances/{id}` with the id forgotten, not a misspelt list.
  app.on(["GET", "PATCH", "PUT", "DELETE"], "/instances/", key, (c) =>
    refuse(c, 400, "Instance ID is required"),
  );
}
