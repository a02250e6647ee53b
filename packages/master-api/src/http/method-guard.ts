import type { Env, Hono } from "hono";
import { refuse } from "./error-response.ts";

/** Methods by path of everything registered so far, in the router's spelling of paths. */
function methodsByPath(app: Pick<Hono, "routes">): Map<string, Set<string>> {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const known = methods.get(path) ?? new Set();
    known.add(method);
    if (method === "GET") known.add("HEAD");
    known.add("OPTIONS");
    methods.set(path, known);
  }
  return methods;
}

/** Answers other methods of the known paths: OPTIONS with 204, the rest with 405, both with Allow. */
export function guardMethods<E extends Env>(app: Hono<E>): void {
  for (const [path, methods] of methodsByPath(app)) {
    const allow = [...methods].sort().join(", ");
    app.all(path, (c) =>
      c.req.method === "OPTIONS"
        ? c.body(null, 204, { Allow: allow })
        : refuse(c, 405, "Method not allowed", { Allow: allow }),
    );
  }
}
