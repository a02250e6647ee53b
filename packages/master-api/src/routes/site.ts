import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Hono } from "hono";
import { refuse } from "../http/error-response.ts";
import type { Site, SiteFile } from "../site/site.ts";

/**
 * What the page may load: files of this master, and no script or style in the page itself. It may
 * ask any master over HTTP, as it shows several.
 */
const SITE_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self' http: https:; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";

const PAGE_HEADERS = {
  "Content-Security-Policy": SITE_SECURITY_POLICY,
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  // Asked for anew each time, and not sent again if it is the same.
  "Cache-Control": "no-cache",
};
const ASSET_HEADERS = { "Cache-Control": "public, max-age=31536000, immutable" };

/** The dashboard under a prefix of the API. The prefix itself is {@link registerIndexRoute}'s. */
export function registerSiteRoutes(app: OpenAPIHono, site: Site): void {
  app.get("/ui", (c) => c.redirect("ui/", 302));
  app.get("/ui/", (c) => sendPage(c, site, ".."));
  app.get("/ui/assets/:file", (c) => sendAsset(c, site));
}

/** The dashboard at `/`. */
export function registerRootSite(app: Hono, site: Site, prefix: string): void {
  app.get("/", (c) => sendPage(c, site, prefix.slice(1)));
  app.get("/assets/:file", (c) => sendAsset(c, site));
}

async function sendPage(context: Context, site: Site, api: string): Promise<Response> {
  return send(context, await site.page(api), PAGE_HEADERS);
}

async function sendAsset(context: Context, site: Site): Promise<Response> {
  const { req } = context;
  const file = await site.asset(req.param("file") ?? "", req.header("accept-encoding"));
  return file === undefined
    ? refuse(context, 404, "Not found")
    : send(context, file, ASSET_HEADERS);
}

function send(
  context: Context,
  { type, etag, encoding, bytes }: SiteFile,
  headers: Readonly<Record<string, string>>,
): Response {
  const all = { ...headers, ETag: etag, Vary: "Accept-Encoding" };
  const known = context.req.header("if-none-match")?.split(/\s*,\s*/) ?? [];
  if (known.includes(etag) || known.includes(`W/${etag}`)) return context.body(null, 304, all);
  return context.body(bytes, 200, {
    ...all,
    "Content-Type": type,
    ...(encoding !== undefined && { "Content-Encoding": encoding }),
  });
}
