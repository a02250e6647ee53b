import type { OpenAPIHono } from "@hono/zod-openapi";

/** What the prefix itself tells. */
export interface IndexRouteOptions {
  readonly version: string;
  /** Where a browser goes on to, relative to the prefix and a slash. */
  readonly page: "docs" | "ui/";
  /** What programs look for, by name: paths below the prefix. */
  readonly places: Readonly<Record<string, string>>;
}

/**
 * The prefix itself, which a master prints as its API URL: a browser goes on to the dashboard or the
 * documentation, a program gets a list of where things are. Public, as what it names is.
 */
export function registerIndexRoute(app: OpenAPIHono, { version, page, places }: IndexRouteOptions) {
  app.get("/", (c) => {
    // From the request: behind a proxy the prefix may be another one, and `/v1` is under it too.
    const base = new URL(c.req.url).pathname.replace(/\/$/, "");
    const wantsPage = c.req.header("accept")?.includes("text/html") === true;
    // Relative to the last segment: a proxy may have taken a part of the path off.
    if (wantsPage) return c.redirect(`${base.slice(base.lastIndexOf("/") + 1)}/${page}`, 302);
    return c.json({
      name: "nodepass",
      version,
      documentation: `${base}/docs`,
      openapi: `${base}/openapi.json`,
      ...Object.fromEntries(Object.entries(places).map(([name, at]) => [name, `${base}/${at}`])),
    });
  });
}
