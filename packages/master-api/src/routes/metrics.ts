import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  METRICS_CONTENT_TYPE,
  MetricsPage,
  writeInstanceMetrics,
  writeProcessMetrics,
} from "@nodepass/metrics";
import { unauthorized } from "../schemas/error.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

/** `/metrics`: what there is at the moment of a scrape; nothing is kept for the next one. */
export function registerMetricsRoute(app: OpenAPIHono, parts: RouteParts): void {
  const { instances, master } = parts;
  app.openapi(
    createRoute({
      method: "get",
      path: "/metrics",
      operationId: "getMetrics",
      summary: "Metrics of instances and process, in the Prometheus text format",
      tags: ["master"],
      security: KEY_SECURITY,
      middleware: [parts.requireKey.reading] as const,
      responses: {
        200: {
          description: "The values now",
          content: { "text/plain": { schema: z.string() } },
        },
        ...unauthorized,
      },
    }),
    async (c) => {
      const [list, latencies, figures] = await Promise.all([
        instances.list(),
        instances.latencies(),
        master.processMetrics(),
      ]);
      const page = new MetricsPage();
      writeInstanceMetrics(page, list, latencies, { maxInstances: parts.metricsInstances });
      writeProcessMetrics(page, figures, parts.version);
      page.family("nodepass_event_readers", "gauge", "Open event streams");
      page.series("", parts.streams.readers);
      return c.text(page.toString(), 200, { "Content-Type": METRICS_CONTENT_TYPE });
    },
  );
}
