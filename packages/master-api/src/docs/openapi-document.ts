import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { InstanceEventSchema } from "@nodepass/model/schemas";

export interface OpenApiDocumentOptions {
  /** Paths under which the API answers, the best one first. */
  readonly servers: readonly string[];
  readonly version: string;
}

const DESCRIPTION = `The master of NodePass tunnels: instances, their events, and the master itself.

Every path also answers under \`/v1\`. Answers are bare JSON; errors are \`{"error": "…"}\`.
A known path with another method answers 405 with \`Allow\`, an unknown one 404.

Agents speak the Model Context Protocol (streamable HTTP, POST) at \`/v2\`, with the same key.`;

/** Registers what no route mentions: the ways to prove oneself, and the data of an event. */
export function registerComponents(app: OpenAPIHono): void {
  const registry = app.openAPIRegistry;
  registry.registerComponent("securitySchemes", "apiKey", {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
    description: "The key that the master prints at its first start",
  });
  registry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "The same key, for tools that can send no other header",
  });
  registry.registerComponent("securitySchemes", "ticket", {
    type: "apiKey",
    in: "query",
    name: "ticket",
    description: "From POST /events/ticket; works once",
  });
  // Made again with the zod that Hono extends: the model's need not be the same copy of it, as it is
  // not where each package of ours is installed by itself.
  registry.register("InstanceEvent", z.object(InstanceEventSchema.shape));
}

/** The OpenAPI 3.1.1 document of the registered routes. */
export function createOpenApiDocument(
  app: OpenAPIHono,
  options: OpenApiDocumentOptions,
): { openapi: string; [field: string]: unknown } {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.1",
    info: {
      title: "NodePass master",
      version: options.version,
      description: DESCRIPTION,
      license: { name: "MIT" },
    },
    servers: options.servers.map((url) => ({ url: url === "" ? "/" : url })),
    tags: [
      { name: "instances", description: "Tunnels: servers and clients" },
      { name: "events", description: "What happens, as it happens" },
      { name: "master", description: "The master itself" },
      { name: "documentation", description: "Public" },
    ],
  });
  return { ...document };
}
