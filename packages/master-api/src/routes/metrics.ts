import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Instance, ProcessMetrics } from "@nodepass/model";
import { Gauge, Registry } from "prom-client";
import { registerInstanceMetrics } from "../metrics/instance-metrics.ts";
import { registerProcessMetrics } from "../metrics/process-metrics.ts";
import { unauthorized } from "../schemas/error.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

/** Of nobody; between two scrapes. */
const NO_FIGURES: ProcessMetrics = {
  startTimeSeconds: 0,
  cpuUserSeconds: 0,
  cpuSystemSeconds: 0,
  residentMemoryBytes: 0,
  heapUsedBytes: 0,
  heapTotalBytes: 0,
};

/** `/metrics`: a registry of this app's own, so that two masters in a process do not mix. */
export function registerMetricsRoute(app: OpenAPIHono, parts: RouteParts): void {
  const { instances, master } = parts;
  const registry = new Registry();
  let list: readonly Instance[] = [];
  let figures: ProcessMetrics | undefined;
  registerInstanceMetrics(registry, () => list);
  registerProcessMetrics(
    registry,
    () => figures ?? NO_FIGURES,
    () => parts.streams.readers,
  );
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
      const [listed, read] = await Promise.all([instances.list(), master.processMetrics()]);
      // The metrics collect before the call returns: no other scrape comes in between.
      [list, figures] = [listed, read];
      const text = registry.metrics();
      [list, figures] = [[], undefined];
      return c.text(await text, 200, { "Content-Type": registry.contentType });
    },
  );
}
