import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Hono } from "hono";
import { internal } from "../schemas/error.ts";
import type { RouteParts } from "./parts.ts";

const text = { "text/plain": { schema: z.string() } };
const said = (isFine: boolean) => (isFine ? "ok" : "failed");

/** What the two probes answer: two lines each, without a key and without a secret. */
function createProbes({ master, impl, clock }: RouteParts) {
  const startedAt = clock.monotonic();
  return {
    alive: () => `alive\n${impl} up ${Math.floor((clock.monotonic() - startedAt) / 1000)} s\n`,
    ready: async () => {
      const { state, workers } = await master.readiness();
      const body = `state ${said(state)}\nworkers ${said(workers)}\n`;
      return { body, status: state && workers ? 200 : 503 } as const;
    },
  };
}

/**
 * `/healthz` and `/readyz`, under the prefix and, for probes that know no prefix, at the root.
 *
 * @param root where the routes are mounted
 */
export function registerHealthRoutes(app: OpenAPIHono, root: Hono, parts: RouteParts): void {
  const probes = createProbes(parts);

  app.openapi(
    createRoute({
      method: "get",
      path: "/healthz",
      operationId: "isAlive",
      summary: "Whether the master answers",
      tags: ["master"],
      security: [],
      responses: { 200: { description: "It does", content: text }, ...internal },
    }),
    (c) => c.text(probes.alive(), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/readyz",
      operationId: "isReady",
      summary: "Whether the master can do its work: its state is open, its workers are up",
      tags: ["master"],
      security: [],
      responses: {
        200: { description: "It can", content: text },
        503: { description: "What of it failed", content: text },
        ...internal,
      },
    }),
    async (c) => {
      const { body, status } = await probes.ready();
      return c.text(body, status);
    },
  );

  root.get("/healthz", (c) => c.text(probes.alive(), 200));
  root.get("/readyz", async (c) => {
    const { body, status } = await probes.ready();
    return c.text(body, status);
  });
}
