import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { jsonAnswer, jsonBody, jsonRequest, KEY_SECURITY } from "@nodepass/master-api";
import {
  FleetMasterChangeSchema,
  FleetMasterSchema,
  givenObject,
  isSelected,
  MASTER_STATUSES,
  parseSelector,
  ServiceSchema,
} from "@nodepass/model/fleet";
import { shortText } from "@nodepass/model/schemas";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import { etagOf, IfMatchHeader, revisedAnswer, revisionOf } from "./if-match.ts";
import type { HubRouteParts } from "./parts.ts";
import { flag, once, selectorQuery } from "./query.ts";

const tags = ["masters"];

/** `mid`, or the master's name where only one has it. */
export const MasterParams = z.object({
  mid: z.string().openapi({
    param: { name: "mid", in: "path" },
    description: "The master's mid, or its name if no other has it",
    example: "0123456789abcdef",
  }),
});

const DrainedSchema = z
  .object({
    moved: z.array(z.string()).readonly().openapi({ description: "sids of what was moved" }),
    left: z
      .array(z.object({ sid: z.string(), reason: z.string() }))
      .readonly()
      .openapi({ description: "What could not be moved, and why" }),
  })
  .openapi("DrainedMaster");

const AdoptSchema = givenObject({ instance: shortText().min(1, "missing") }).meta({
  id: "AdoptedInstance",
});

/** `/fleet/masters`. */
export function registerMasterRoutes(app: OpenAPIHono, parts: HubRouteParts): void {
  const { fleet, requireToken } = parts;

  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/masters",
      operationId: "listMasters",
      summary: "The masters that the token may see",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("viewer")] as const,
      request: {
        query: z.object({
          selector: selectorQuery(),
          status: once(z.enum(MASTER_STATUSES), "status"),
        }),
      },
      responses: {
        200: jsonAnswer("The masters", z.array(FleetMasterSchema)),
        ...answers.query,
        ...answers.token,
      },
    }),
    (c) => {
      const { selector, status } = c.req.valid("query");
      const terms = parseSelector(selector);
      const masters = fleet
        .masters(callerOf(c))
        .filter((master) => isSelected(master.labels, terms))
        .filter((master) => status === undefined || master.status === status);
      return c.json([...masters], 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/masters/{mid}",
      operationId: "getMaster",
      summary: "One master",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("viewer")] as const,
      request: { params: MasterParams },
      responses: {
        200: revisedAnswer("The master", FleetMasterSchema),
        ...answers.token,
        ...answers.master,
      },
    }),
    (c) => {
      const master = fleet.master(callerOf(c), c.req.valid("param").mid);
      return c.json(master, 200, etagOf(master));
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/fleet/masters/{mid}",
      operationId: "changeMaster",
      summary: "Name, labels, address of a master; whether anything new is placed on it",
      description:
        "An operator may change `draining` and labels, but for those beginning with `np/`; an admin " +
        "everything. `labels` replaces all: with `If-Match` nobody's change is lost.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator"), jsonBody] as const,
      request: {
        params: MasterParams,
        headers: IfMatchHeader,
        body: jsonRequest(FleetMasterChangeSchema),
      },
      responses: {
        200: revisedAnswer("The master as it is now", FleetMasterSchema),
        ...answers.body,
        ...answers.token,
        ...answers.master,
        ...answers.conflict,
        ...answers.revision,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const { mid } = c.req.valid("param");
      const revision = revisionOf(c.req.valid("header")["if-match"]);
      const changed = await fleet.changeMaster(callerOf(c), mid, c.req.valid("json"), revision);
      return c.json(changed, 200, etagOf(changed));
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/fleet/masters/{mid}",
      operationId: "removeMaster",
      summary: "Take a master out of the fleet",
      description: "Its identity is worthless from then on. What it runs stays there, as its own.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("admin")] as const,
      request: {
        params: MasterParams,
        query: z.object({ stop: flag("stop", "Also stop what the fleet runs there") }),
      },
      responses: {
        204: { description: "It is out" },
        ...answers.query,
        ...answers.token,
        ...answers.master,
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const { stop } = c.req.valid("query");
      await fleet.removeMaster(callerOf(c), c.req.valid("param").mid, { stop });
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/masters/{mid}/drain",
      operationId: "drainMaster",
      summary: "Move what may move away from a master, and place nothing new on it",
      description: "A body is ignored.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator")] as const,
      request: { params: MasterParams },
      responses: {
        200: jsonAnswer("What was moved, and what was not", DrainedSchema),
        ...answers.token,
        ...answers.master,
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => c.json(await fleet.drainMaster(callerOf(c), c.req.valid("param").mid), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/masters/{mid}/adopt",
      operationId: "adoptInstance",
      summary: "Make a service of an instance that a master runs by itself",
      description: "It is not restarted.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("operator"), jsonBody] as const,
      request: {
        params: MasterParams,
        body: jsonRequest(AdoptSchema),
      },
      responses: {
        201: jsonAnswer("The new service", ServiceSchema),
        ...answers.body,
        ...answers.token,
        ...answers.master,
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const { mid } = c.req.valid("param");
      return c.json(await fleet.adopt(callerOf(c), mid, c.req.valid("json").instance), 201);
    },
  );
}
