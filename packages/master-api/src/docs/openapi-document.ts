import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { InstanceEventSchema } from "@nodepass/model/schemas";

export interface OpenApiDocumentOptions {
  /** Paths under which the API answers, the best one first. */
  readonly servers: readonly string[];
  readonly version: string;
  readonly title: string;
  /** Markdown. */
  readonly description: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
}

/** What a master's document says of itself. */
export const MASTER_DOCUMENT: Pick<OpenApiDocumentOptions, "title" | "description" | "tags"> = {
  title: "NodePass master",
  description: `The master of NodePass tunnels: instances, their events, and the master itself.

Every path also answers under \`/v1\`. Answers are bare JSON; errors are \`{"error": "…"}\`.
A known path with another method answers 405 with \`Allow\`, an unknown one 404.

Agents speak the Model Context Protocol (streamable HTTP, POST) at \`/v2\`, with the same key.`,
  tags: [
    { name: "instances", description: "Tunnels: servers and clients" },
    { name: "events", description: "What happens, as it happens" },
    { name: "master", description: "The master itself" },
    { name: "documentation", description: "Public" },
  ],
};

/** Registers what no route mentions: the ways to prove oneself. @param key what the key is */
export function registerSecurity(app: OpenAPIHono, key: string): void {
  const registry = app.openAPIRegistry;
  registry.registerComponent("securitySchemes", "apiKey", {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
    description: key,
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
    description: "From POST …/events/ticket; works once",
  });
}

/** The same for a master, and the data of an event. */
export function registerComponents(app: OpenAPIHono): void {
  registerSecurity(app, "The key that the master prints at its first start");
  // Made again with the zod that Hono extends: the model's need not be the same copy of it, as it is
  // not where each package of ours is installed by itself.
  app.openAPIRegistry.register("InstanceEvent", z.object(InstanceEventSchema.shape));
}

/** The OpenAPI 3.1.1 document of the registered routes. */
export function createOpenApiDocument(
  app: OpenAPIHono,
  options: OpenApiDocumentOptions,
): { openapi: string; [field: string]: unknown } {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.1",
    info: {
      title: options.title,
      version: options.version,
      description: options.description,
      license: { name: "MIT" },
    },
    servers: options.servers.map((url) => ({ url: url === "" ? "/" : url })),
    tags: [...options.tags],
  });
  return { ...document };
}
