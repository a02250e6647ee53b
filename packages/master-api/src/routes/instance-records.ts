import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { HISTORY_RANGE_NAMES, HISTORY_RANGES, ServiceError } from "@nodepass/model";
import {
  InstanceHistorySchema,
  InstanceLogsSchema,
  InstancePortsSchema,
} from "@nodepass/model/schemas";
import { badRequest, notFound, unauthorized } from "../schemas/error.ts";
import { jsonAnswer } from "../schemas/json.ts";
import { InstanceIdParams, KEY_SECURITY, type RouteParts } from "./parts.ts";

const tags = ["instances"];

/** Most lines that can be asked for; fewer are kept. */
const MAX_TAIL = 10_000;

const LogsQuerySchema = z.object({
  tail: z
    .string({ error: "given twice" })
    .regex(/^[0-9]{1,5}$/, `not a whole number from 0 to ${MAX_TAIL}`)
    .optional()
    .openapi({
      param: { name: "tail", in: "query" },
      description: "The last so many lines; all that are kept if absent",
      example: "20",
    }),
  since: z.iso
    .datetime({ offset: true, error: "not a time such as 2026-01-02T03:04:05Z" })
    .optional()
    .openapi({
      param: { name: "since", in: "query" },
      description: "Only lines later than this",
      example: "2026-01-02T03:04:05Z",
    }),
});

const described = HISTORY_RANGE_NAMES.map(
  (name) => `\`${name}\` in steps of ${HISTORY_RANGES[name].stepSeconds} s`,
).join(", ");

const HistoryQuerySchema = z.object({
  range: z
    .enum(HISTORY_RANGE_NAMES, { error: `none of ${HISTORY_RANGE_NAMES.join(", ")}` })
    .optional()
    .openapi({
      param: { name: "range", in: "query" },
      description: `How far back: ${described}; \`hour\` if absent`,
    }),
});

/** What is kept of an instance beside its state: log lines and history. */
export function registerInstanceRecordRoutes(app: OpenAPIHono, parts: RouteParts): void {
  const { instances } = parts;
  const { reading } = parts.requireKey;

  app.openapi(
    createRoute({
      method: "get",
      path: "/instances/{id}/logs",
      operationId: "getInstanceLogs",
      summary: "The last log lines of an instance",
      tags,
      security: KEY_SECURITY,
      middleware: [reading] as const,
      request: { params: InstanceIdParams, query: LogsQuerySchema },
      responses: {
        200: jsonAnswer("The lines, oldest first", InstanceLogsSchema),
        ...badRequest("tail: not a whole number from 0 to 10000"),
        ...unauthorized,
        ...notFound,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { tail, since } = c.req.valid("query");
      if (tail !== undefined && Number(tail) > MAX_TAIL) {
        throw new ServiceError("INVALID", `tail: not a whole number from 0 to ${MAX_TAIL}`);
      }
      const { lines, total } = await instances.logs(id, {
        tail: tail === undefined ? undefined : Number(tail),
        since: since === undefined ? undefined : Date.parse(since),
      });
      return c.json({ lines: [...lines], total }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/instances/{id}/ports",
      operationId: "getInstancePorts",
      summary: "What each port of an instance's range has carried since it opened",
      tags,
      security: KEY_SECURITY,
      middleware: [reading] as const,
      request: { params: InstanceIdParams },
      responses: {
        200: jsonAnswer(
          "Each port; none where there is no range, or while it does not run",
          InstancePortsSchema,
        ),
        ...unauthorized,
        ...notFound,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const ports = await instances.ports(id);
      return c.json({ ports: ports.map((port) => ({ ...port })) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/instances/{id}/history",
      operationId: "getInstanceHistory",
      summary: "Rates, connections, pool and ping of an instance over time",
      tags,
      security: KEY_SECURITY,
      middleware: [reading] as const,
      request: { params: InstanceIdParams, query: HistoryQuerySchema },
      responses: {
        200: jsonAnswer(
          "One value for each step, null where the instance did not run",
          InstanceHistorySchema,
        ),
        ...badRequest("range: none of hour, day, month"),
        ...unauthorized,
        ...notFound,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { range = "hour" } = c.req.valid("query");
      const { step, start, rx, tx, tcps, udps, pool, ping } = await instances.history(id, range);
      const series = { rx: [...rx], tx: [...tx], tcps: [...tcps], udps: [...udps] };
      return c.json({ step, start, ...series, pool: [...pool], ping: [...ping] }, 200);
    },
  );
}
