import type { KeyAccess } from "@nodepass/model";
import type { Hono } from "hono";
import { accessOf, givenKey } from "../auth/require-key.ts";
import { refuse } from "../http/error-response.ts";
import { readBody } from "../http/json-body.ts";
import type { RouteParts } from "../routes/parts.ts";
import { isAllowedOrigin } from "./allowed-origin.ts";

/** A message of an agent that has shown a key. */
export interface AgentRequest {
  readonly request: Request;
  /** At most 1 MiB, as text. */
  readonly body: string;
  /** The key that it came with, empty where none was needed, and what that may do. */
  readonly key: string;
  readonly access: KeyAccess;
  /** Asks this API, as the same client. */
  readonly ask: (request: Request) => Promise<Response>;
}

/** Answers what agents say. */
export type AgentHandler = (asked: AgentRequest) => Promise<Response>;

/** How agents are answered. */
export interface AgentOptions {
  readonly handler: AgentHandler;
  /** Host names of pages whose scripts may ask, beside those of this machine; `*` is any. @default [] */
  readonly origins?: readonly string[] | undefined;
}

const ALLOW = { Allow: "OPTIONS, POST" };

/**
 * `<prefix>/v2`, where NodePass 2 has it: the Model Context Protocol over streamable HTTP, without
 * sessions, so that only POST has a meaning. This decides who may speak and how much; what it says is
 * the handler's matter.
 */
export function registerAgentRoute(
  app: Hono,
  path: string,
  { requireKey }: RouteParts,
  { handler, origins = [] }: AgentOptions,
): void {
  app.options(path, (c) => c.body(null, 204, ALLOW));
  app.all(path, requireKey.reading, async (c) => {
    const origin = c.req.header("origin");
    if (!isAllowedOrigin(origin, c.req.header("host"), origins)) {
      const allowed = ["pages of this machine", ...origins].join(", ");
      const shown = JSON.stringify(origin?.slice(0, 200));
      return refuse(c, 403, `origin ${shown} is not allowed (allowed: ${allowed})`);
    }
    if (c.req.method !== "POST") return refuse(c, 405, "Method not allowed", ALLOW);
    const body = await readBody(c);
    if (body instanceof Response) return body;
    return handler({
      request: c.req.raw,
      body,
      key: givenKey(c) ?? "",
      access: accessOf(c).level,
      ask: async (request) => app.fetch(request, c.env),
    });
  });
}
