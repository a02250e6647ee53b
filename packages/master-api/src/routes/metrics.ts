import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { Gauge, Registry } from "prom-client";
import { registerInstanceMetrics } from "../metrics/instance-metrics.ts";
import { registerProcessMetrics } from "../metrics/process-metrics.ts";
import { unauthorized } from "../schemas/error.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

/** `/metrics`: a registry of this app's own, so that two masters in a process do not mix. */
export function registerMetricsRoute(app: OpenAPIHono, parts: RouteParts): void {
  const registry = new Registry();
  registerInstanceMetrics(registry, parts.service);
  registerProcessMetrics(registry, parts.service, () => parts.hub.readers);
  new Gauge({
    name: "nodepass_build_info",
    help: "Always 1; the version is in the label",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version: parts.version }, 1);

  app.openapi(
    createRoute({
      method: "get",
      path: "/metrics",
      operationId: "getMetrics",
      summary: "Metrics of instances and process, in the Prometheus text format",
      tags: ["master"],
      security: KEY_SECURITY,
      middleware: [parts.requireKey.key] as const,
      responses: {
        200: {
          description: "The values now",
          content: { "text/plain": { schema: z.string() } },
        },
        ...unauthorized,
      },
    }),
    async (c) => c.text(await registry.metrics(), 200, { "Content-Type": registry.contentType }),
  );
}
