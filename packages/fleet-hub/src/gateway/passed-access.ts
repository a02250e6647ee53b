import type { PassedAccess } from "@nodepass/fleet-protocol";
import { allowAnyOrigin, givenKey, type RefuseWrong } from "@nodepass/master-api";
import { API_TOKEN_PREFIX, type FleetRole } from "@nodepass/model/fleet";
import type { Context } from "hono";
import type { Caller, Fleet } from "../fleet.ts";
import { refusal } from "./refusal.ts";

/** Who a request through the gateway is let in as. */
export interface Admitted {
  readonly access: PassedAccess;
  /** `undefined`: who carries a master's own key, or nothing. The master decides about them. */
  readonly caller: Caller | undefined;
  /** Whether it carries anything at all. */
  readonly hasKey: boolean;
}

/** How the gateway tells who asks. */
export interface AdmitParts {
  readonly fleet: Pick<Fleet, "verifyToken" | "master">;
  readonly refuseWrong: RefuseWrong;
}

/**
 * Lets a request in by its fleet token, if it has one: as much as its role may at a master that its
 * selector has.
 *
 * @returns the answer to one that may not
 * @throws {ServiceError} `NOT_FOUND`: no such master for this token
 */
export function admit(
  context: Context,
  parts: AdmitParts,
  request: { readonly mid: string; readonly target: string; readonly remote: string },
): Admitted | Response {
  const key = givenKey(context);
  if (key === undefined || !key.startsWith(API_TOKEN_PREFIX)) {
    return { access: "key", caller: undefined, hasKey: key !== undefined };
  }
  const caller = parts.fleet.verifyToken(key, request.remote);
  if (caller === undefined) {
    const refused = parts.refuseWrong(context, "Unauthorized: Invalid API key");
    allowAnyOrigin(refused.headers);
    return refused;
  }
  parts.fleet.master(caller, request.mid);
  const reason = forbidden(caller.role, context.req.method, request.target);
  if (reason !== undefined) return refusal(context, 403, reason);
  return { access: caller.role, caller, hasKey: true };
}

/** Whether a request changes nothing. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/** Whether it is the one POST that changes nothing: a ticket for whoever may read. */
export function isTicket(method: string, target: string): boolean {
  return method === "POST" && /\/events\/ticket$/.test(decodedPath(target));
}

/** What of a master's API a role may not touch, whatever the master itself would say. */
function forbidden(role: FleetRole, method: string, target: string): string | undefined {
  if (role === "admin" || isSafe(method) || isTicket(method, target)) return undefined;
  if (role === "viewer") return "this token may only read";
  const path = decodedPath(target);
  const isKey = /\/keys\/[^/]*\/?$|\/instances\/\*{8}\/?$|\/sign-in\/?$/.test(path);
  return isKey ? "this token may not touch a master's keys" : undefined;
}

/** The path as a router sees it that decodes as much as it can. */
export function decodedPath(target: string): string {
  const path = target.split("?", 1)[0] ?? "";
  return path.split("/").map(decodeSegment).join("/");
}

/** What a master's API has below its prefix that can be written to. */
const WRITABLE: ReadonlySet<string> = new Set([
  ...["instances", "keys", "info", "events", "sign-in", "v2"],
]);

/**
 * @returns what a write is meant for, decoded, and the path of the API before it, as it was written;
 *   `undefined`: masters have nothing there that could be written to
 */
export function findWritten(
  target: string,
):
  | { readonly base: string; readonly resource: string; readonly rest: readonly string[] }
  | undefined {
  const segments = (target.split("?", 1)[0] ?? "").split("/");
  // The last one: a prefix may be called so, too, and nothing behind it is.
  const at = segments.findLastIndex((segment) => WRITABLE.has(decodeSegment(segment)));
  if (at < 0) return undefined;
  const [resource = "", ...rest] = segments.slice(at).map(decodeSegment);
  return { base: segments.slice(0, at).join("/"), resource, rest };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A broken escape is matched as it is written, here and by the master.
    return segment;
  }
}
