import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { jsonAnswer, jsonBody, jsonRequest, KEY_SECURITY } from "@nodepass/master-api";
import { ServiceError } from "@nodepass/model";
import {
  isSelected,
  MoveSchema,
  type NewService,
  NewServiceSchema,
  PART_STATES,
  parseSelector,
  type ServiceChange,
  ServiceChangeSchema,
  ServiceSchema,
} from "@nodepass/model/fleet";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import { etagOf, IfMatchHeader, revisedAnswer, revisionOf } from "./if-match.ts";
import type { HubRouteParts } from "./parts.ts";
import { flag, once, selectorQuery } from "./query.ts";

const tags = ["services"];
const oneService = (description: string) => revisedAnswer(description, ServiceSchema);

const ServiceParams = z.object({
  sid: z.string().openapi({ param: { name: "sid", in: "path" } }),
});

const changed = {
  ...answers.body,
  ...answers.token,
  ...answers.service,
  ...answers.conflict,
  ...answers.revision,
  ...answers.unavailable,
};

/** `/fleet/services`. */
export function registerServiceRoutes(app: OpenAPIHono, parts: HubRouteParts): void {
  const { fleet, requireToken } = parts;

  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/services",
      operationId: "listServices",
      summary: "The services that the token may see",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("viewer")] as const,
      request: {
        query: z.object({
          selector: selectorQuery(),
          master: once(z.string({ error: "given twice" }).max(256), "master"),
          status: once(z.enum(PART_STATES), "status"),
        }),
      },
      responses: {
        200: jsonAnswer(
          "Those with a part at such a master, and a part in that state",
          z.array(ServiceSchema),
        ),
        ...answers.query,
        ...answers.token,
        ...answers.master,
      },
    }),
    (c) => {
      const caller = callerOf(c);
      const { selector, master, status } = c.req.valid("query");
      const terms = parseSelector(selector);
      const selected =
        terms.length === 0
          ? undefined
          : new Set(
              fleet
                .masters(caller)
                .filter(({ labels }) => isSelected(labels, terms))
                .map(({ mid }) => mid),
            );
      const mid = master === undefined ? undefined : fleet.master(caller, master).mid;
      const isWanted = ({ owner, state }: { owner: string | null; state: string }) =>
        (mid === undefined || owner === mid) &&
        (status === undefined || state === status) &&
        (selected === undefined || (owner !== null && selected.has(owner)));
      return c.json(
        fleet.services(caller).filter((service) => service.parts.some(isWanted)),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/services",
      operationId: "createService",
      summary: "Make a service: one part, or a server and a client that find each other",
      description:
        "Each part is placed on a master by name, or by labels on the one with the fewest " +
        "instances; `auto` ports are found, and keys made. It is answered when the masters say that " +
        "it runs, or after 10 s with parts that are `pending`. Nothing is made unless all of it can be.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator"), jsonBody] as const,
      request: { body: jsonRequest(NewServiceSchema) },
      responses: {
        201: oneService("The service"),
        ...answers.body,
        ...answers.token,
        ...answers.master,
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const created = await fleet.createService(callerOf(c), c.req.valid("json"));
      return c.json(created, 201, etagOf(created));
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/services/{sid}",
      operationId: "getService",
      summary: "One service",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("viewer")] as const,
      request: { params: ServiceParams },
      responses: {
        200: oneService("The service"),
        ...answers.token,
        ...answers.service,
      },
    }),
    (c) => {
      const service = fleet.service(callerOf(c), c.req.valid("param").sid);
      return c.json(service, 200, etagOf(service));
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/fleet/services/{sid}",
      operationId: "changeService",
      summary: "Change what is named of a service; the rest stays",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator"), jsonBody] as const,
      request: {
        params: ServiceParams,
        headers: IfMatchHeader,
        body: jsonRequest(ServiceChangeSchema),
      },
      responses: { 200: oneService("The service as it is now"), ...changed },
    }),
    async (c) => {
      const revision = revisionOf(c.req.valid("header")["if-match"]);
      const { sid } = c.req.valid("param");
      const after = await fleet.changeService(callerOf(c), sid, c.req.valid("json"), revision);
      return c.json(after, 200, etagOf(after));
    },
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/fleet/services/{sid}",
      operationId: "replaceService",
      summary: "Give a service another description, in the form of a new one",
      description: "Its parts stay with their masters: another `master` takes a move.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator"), jsonBody] as const,
      request: {
        params: ServiceParams,
        headers: IfMatchHeader,
        body: jsonRequest(NewServiceSchema),
      },
      responses: { 200: oneService("The service as it is now"), ...changed },
    }),
    async (c) => {
      const revision = revisionOf(c.req.valid("header")["if-match"]);
      const { sid } = c.req.valid("param");
      const change = toChange(c.req.valid("json"));
      const after = await fleet.changeService(callerOf(c), sid, change, revision);
      return c.json(after, 200, etagOf(after));
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/fleet/services/{sid}",
      operationId: "removeService",
      summary: "Stop a service and forget it",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator")] as const,
      request: {
        params: ServiceParams,
        headers: IfMatchHeader,
        query: z.object({
          keep: flag("keep", "Its instances go on, as their masters' own"),
        }),
      },
      responses: {
        204: { description: "It is gone" },
        ...answers.query,
        ...answers.token,
        ...answers.service,
        ...answers.conflict,
        ...answers.revision,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const revision = revisionOf(c.req.valid("header")["if-match"]);
      const { keep } = c.req.valid("query");
      await fleet.removeService(callerOf(c), c.req.valid("param").sid, revision, keep);
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/services/{sid}/move",
      operationId: "moveService",
      summary: "Let another master run a part of a service",
      description:
        "Id, alias, tags and counters go with it; a pair gets a new key. The old master stops before " +
        "the new one starts.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator"), jsonBody] as const,
      request: { params: ServiceParams, body: jsonRequest(MoveSchema) },
      responses: {
        200: oneService("The service, where it is now"),
        ...answers.body,
        ...answers.token,
        ...answers.service,
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const { sid } = c.req.valid("param");
      const after = await fleet.moveService(callerOf(c), sid, c.req.valid("json"));
      return c.json(after, 200, etagOf(after));
    },
  );
}

/** @throws {ServiceError} `INVALID`: a part is to be elsewhere */
function toChange({ alias, tags: all, policy, parts }: NewService): ServiceChange {
  return {
    ...{ alias, tags: all, policy },
    parts: parts.map(({ role, url, selector, running, master }, index) => {
      if (master !== undefined) {
        throw new ServiceError("INVALID", `parts.${index}.master: a part is moved by POST …/move`);
      }
      return { url, running, ...(role && { role }), ...(selector !== undefined && { selector }) };
    }),
  };
}
