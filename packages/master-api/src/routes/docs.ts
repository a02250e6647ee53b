import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ReadDocsAsset } from "../docs/assets.ts";
import { createOpenApiDocument, type OpenApiDocumentOptions } from "../docs/openapi-document.ts";
import { DOCS_SECURITY_POLICY, swaggerPage } from "../docs/swagger-page.ts";
import { refuse } from "../http/error-response.ts";
import { ErrorSchema, internal } from "../schemas/error.ts";
import { jsonAnswer } from "../schemas/json.ts";

const tags = ["documentation"];

/** `/openapi.json` and `/docs`: public, and without a foreign host. */
export function registerDocsRoutes(
  app: OpenAPIHono,
  document: OpenApiDocumentOptions,
  readAsset: ReadDocsAsset,
): void {
  let made: ReturnType<typeof createOpenApiDocument> | undefined;

  app.openapi(
    createRoute({
      method: "get",
      path: "/openapi.json",
      operationId: "getOpenApi",
      summary: "This document",
      tags,
      security: [],
      responses: {
        200: jsonAnswer("OpenAPI 3.1.1", z.looseObject({ openapi: z.string() })),
        ...internal,
      },
    }),
    (c) => {
      // Made at the first request, when all routes are registered, and then kept.
      made ??= createOpenApiDocument(app, document);
      return c.json(made, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/docs",
      operationId: "getDocs",
      summary: "This document for people, in Swagger UI",
      tags,
      security: [],
      responses: {
        200: { description: "A page", content: { "text/html": { schema: z.string() } } },
        ...internal,
      },
    }),
    (c) =>
      c.html(swaggerPage(document.title), 200, { "Content-Security-Policy": DOCS_SECURITY_POLICY }),
  );

  // The page's links are relative to `/docs`; relative, so that it holds behind a proxy's prefix.
  app.get("/docs/", (c) => c.redirect("../docs", 308));

  app.openapi(
    createRoute({
      method: "get",
      path: "/docs/{file}",
      operationId: "getDocsFile",
      summary: "A file of that page",
      tags,
      security: [],
      request: {
        params: z.object({
          file: z.string().openapi({ param: { name: "file", in: "path" }, example: "init.js" }),
        }),
      },
      responses: {
        200: {
          description: "The file",
          content: {
            "text/css": { schema: z.string() },
            "text/javascript": { schema: z.string() },
            "image/png": { schema: z.string() },
          },
        },
        404: {
          description: "There is no such file",
          content: {
            "application/json": { schema: ErrorSchema, example: { error: "Not found" } },
          },
        },
        ...internal,
      },
    }),
    async (c) => {
      const asset = await readAsset(c.req.valid("param").file);
      if (asset === undefined) return refuse(c, 404, "Not found");
      return c.body(asset.bytes, 200, {
        "Content-Type": asset.type,
        "Cache-Control": "public, max-age=3600",
      });
    },
  );
}
