import type { MiddlewareHandler } from "hono";

const METHODS = "GET, PATCH, POST, PUT, DELETE, OPTIONS";
const HEADERS = "Content-Type, Authorization, X-API-Key, Cache-Control";
/** Where the Model Context Protocol tells proxies what a request is. */
const AGENT_HEADERS = `${HEADERS}, Mcp-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name`;

/** For programs that change what they have read. */
const REVISION_HEADERS = `${HEADERS}, If-Match`;

/** What pages may send and read beside what they may everywhere. */
export interface CorsOptions {
  /** Where what agents send is allowed. @default nowhere */
  readonly agentPath?: string | undefined;
  /** `If-Match` is allowed, and `ETag` shown. @default false */
  readonly revisions?: boolean | undefined;
}

/**
 * Any origin may ask, with the key in a header: there are no cookies that a foreign page could
 * use. A preflight needs no key, browsers send none with it.
 */
export const createCors =
  ({ agentPath, revisions = false }: CorsOptions): MiddlewareHandler =>
  async (context, next) => {
    const others = revisions ? REVISION_HEADERS : HEADERS;
    const allowed = context.req.path === agentPath ? AGENT_HEADERS : others;
    const preflight =
      context.req.method === "OPTIONS" &&
      context.req.header("access-control-request-method") !== undefined;
    if (preflight) {
      return context.body(null, 204, {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": allowed,
        "Access-Control-Max-Age": "600",
      });
    }
    await next();
    allowAnyOrigin(context.res.headers, allowed, revisions ? ", ETag" : "");
    return undefined;
  };

/** Says so in an answer's headers, and what every answer says of itself. */
export function allowAnyOrigin(headers: Headers, allowed: string = HEADERS, shown = ""): void {
  headers.set("Access-Control-Allow-Origin", "*");
  headers.set("Access-Control-Allow-Methods", METHODS);
  headers.set("Access-Control-Allow-Headers", allowed);
  headers.set("Access-Control-Expose-Headers", `Allow, Retry-After${shown}`);
  headers.set("X-Content-Type-Options", "nosniff");
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
}
