import type { OpenAPIHono } from "@hono/zod-openapi";

/**
 * The prefix itself, which a master prints as its API URL: a browser goes on to the documentation,
 * a program gets a list of where things are. Public, as what it names is.
 */
export function registerIndexRoute(app: OpenAPIHono, { version }: { readonly version: string }) {
  app.get("/", (c) => {
    // From the request: behind a proxy the prefix may be another one, and `/v1` is under it too.
    const base = new URL(c.req.url).pathname.replace(/\/$/, "");
    const wantsPage = c.req.header("accept")?.includes("text/html") === true;
    if (wantsPage) return c.redirect(`${base}/docs`, 302);
    return c.json({
      name: "nodepass",
      version,
      documentation: `${base}/docs`,
      openapi: `${base}/openapi.json`,
      instances: `${base}/instances`,
      events: `${base}/events`,
    });
  });
}
