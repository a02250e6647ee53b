import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Hono } from "hono";
import type { Clock } from "../clock.ts";
import { internal } from "../schemas/error.ts";

/** What is probed. */
export interface HealthOptions {
  /** `master`, `hub`: also the tag of the routes. */
  readonly of: string;
  /** Name and version. */
  readonly impl: string;
  readonly clock: Clock;
  /** What of it can do its work, by name. */
  readiness(): Promise<Readonly<Record<string, boolean>>>;
}

const text = { "text/plain": { schema: z.string() } };
const said = (isFine: boolean) => (isFine ? "ok" : "failed");

/** What the two probes answer: two lines each, without a key and without a secret. */
function createProbes({ impl, clock, readiness }: HealthOptions) {
  const startedAt = clock.monotonic();
  return {
    alive: () => `alive\n${impl} up ${Math.floor((clock.monotonic() - startedAt) / 1000)} s\n`,
    ready: async () => {
      const parts = Object.entries(await readiness());
      const body = parts.map(([name, isFine]) => `${name} ${said(isFine)}\n`).join("");
      return { body, status: parts.every(([, isFine]) => isFine) ? 200 : 503 } as const;
    },
  };
}

/**
 * `/healthz` and `/readyz`, under the prefix and, for probes that know no prefix, at the root.
 *
 * @param root where the routes are mounted
 */
export function registerHealthRoutes(app: OpenAPIHono, root: Hono, options: HealthOptions): void {
  const probes = createProbes(options);
  const { of } = options;

  app.openapi(
    createRoute({
      method: "get",
      path: "/healthz",
      operationId: "isAlive",
      summary: `Whether the ${of} answers`,
      tags: [of],
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
      summary: `Whether the ${of} can do its work, by its parts`,
      tags: [of],
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
