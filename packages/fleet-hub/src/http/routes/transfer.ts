import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  failure,
  givenKey,
  jsonAnswer,
  jsonBodyOf,
  jsonRequest,
  KEY_SECURITY,
  validationMessage,
} from "@nodepass/master-api";
import { ServiceError } from "@nodepass/model";
import { givenObject } from "@nodepass/model/fleet";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import { nodePassDashFile, type PublicPlaces, rootOf } from "../nodepassdash.ts";
import type { HubRouteParts } from "./parts.ts";
import { once } from "./query.ts";

const tags = ["fleet"];
/** Of an import: a hundred thousand services. Only admins get so far. */
const MAX_IMPORT_BYTES = 64 * 1_048_576;

const ImportedSchema = z
  .object({
    created: z.int().min(0),
    changed: z.int().min(0),
    kept: z.int().min(0),
    masters: z.int().min(0).openapi({ description: "Masters that are known again" }),
  })
  .openapi("ImportedServices");

const ExportQuery = z.object({
  format: once(z.enum(["nodepassdash"], { error: "not nodepassdash" }), "format"),
});

const ImportSchema = givenObject({
  exported: z.string().meta({ description: "The file as it was exported" }),
}).meta({ id: "FleetImport" });

const RebuildSchema = givenObject({
  dryRun: z.boolean().default(false).meta({ description: "Only say what would be made" }),
}).meta({ id: "FleetRebuild" });

const RebuiltSchema = z
  .object({
    made: z
      .array(
        z.object({
          sid: z.string(),
          alias: z.string(),
          masters: z.array(z.string()).readonly().openapi({ description: "mids" }),
        }),
      )
      .readonly(),
    left: z.array(z.object({ sid: z.string(), reason: z.string() })).readonly(),
    missing: z.array(z.string()).readonly().openapi({
      description: "Masters that did not answer within 5 s",
    }),
  })
  .openapi("RebuiltServices");

/** `/fleet/export`, `/fleet/import` and `/fleet/rebuild`. */
export function registerTransferRoutes(
  app: OpenAPIHono,
  parts: HubRouteParts,
  places: PublicPlaces,
): void {
  const { fleet, requireToken, clock } = parts;

  app.openAPIRegistry.registerPath(
    createRoute({
      method: "get",
      path: "/fleet/export",
      operationId: "exportFleet",
      summary: "All services with their keys, signed; or the masters, for NodePassDash",
      description:
        "`format=nodepassdash` makes the file of that dashboard's batch import: each master under a " +
        "host name or port of its own, with the token that asks. It takes the role viewer, and lets " +
        "the dashboard do what that token may.",
      tags,
      security: KEY_SECURITY,
      request: { query: ExportQuery },
      responses: {
        200: {
          description: "A file",
          headers: { "Content-Disposition": { schema: { type: "string" } } },
          content: { "application/json": { schema: z.looseObject({}) } },
        },
        ...answers.query,
        ...answers.token,
        409: failure(
          "No master has a host name or port of its own here",
          "the hub has no suffix for host names of masters, and none of them a port",
        ),
        ...answers.unavailable,
      },
    }),
  );
  // Not by the document's own types: they know JSON as values, and this is a text with a signature.
  app.get("/fleet/export", requireToken.role("viewer"), async (c) => {
    const caller = callerOf(c);
    const query = ExportQuery.safeParse(c.req.query());
    if (!query.success) throw new ServiceError("INVALID", validationMessage(query.error));
    const file = (name: string) => ({
      "Content-Disposition": `attachment; filename="${name}"`,
      "Content-Type": "application/json",
    });
    if (query.data.format === undefined) {
      return c.body(await fleet.exportServices(caller), 200, file("fleet-services.json"));
    }
    const masters = fleet.masters(caller);
    if (masters.length > 0 && !masters.some(({ mid }) => rootOf(mid, places))) {
      const reason = "the hub has no suffix for host names of masters, and none of them a port";
      throw new ServiceError("CONFLICT", `${reason}: NodePassDash needs one of the two`);
    }
    const options = { key: givenKey(c) ?? "", now: clock.now() };
    const made = nodePassDashFile(masters, places, options);
    return c.body(JSON.stringify(made, null, 2), 200, file("nodepass-endpoints.json"));
  });

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/import",
      operationId: "importFleet",
      summary: "Make what an export has and the fleet has not, and change what differs",
      description: "The export as it was, signature included, as a text; at most 64 MiB.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("admin"), jsonBodyOf(MAX_IMPORT_BYTES)] as const,
      request: {
        body: jsonRequest(ImportSchema),
      },
      responses: {
        200: jsonAnswer("What was done", ImportedSchema),
        ...answers.body,
        ...answers.token,
        ...answers.conflict,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const { exported } = c.req.valid("json");
      return c.json(await fleet.importServices(callerOf(c), exported), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/fleet/rebuild",
      operationId: "rebuildFleet",
      summary: "Make services anew of what masters say they run",
      description:
        "For a store that was lost without an export: services are there again under their ids, their " +
        "tunnels untouched. Masters do not know policies: failover is off then.",
      tags,
      security: KEY_SECURITY,
      middleware: [requireToken.role("admin"), jsonBodyOf(1024)] as const,
      request: {
        body: jsonRequest(RebuildSchema),
      },
      responses: {
        200: jsonAnswer("What was made, and what could not be", RebuiltSchema),
        ...answers.body,
        ...answers.token,
        ...answers.unavailable,
      },
    }),
    async (c) => {
      const { dryRun } = c.req.valid("json");
      return c.json(await fleet.rebuildServices(callerOf(c), dryRun), 200);
    },
  );
}
