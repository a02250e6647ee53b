import { allowAnyOrigin, refuse } from "@nodepass/master-api";
import type { Context } from "hono";

/** An answer of the gateway itself, in the shape of a master's. */
export function refusal(
  context: Context,
  status: Parameters<typeof refuse>[1],
  message: string,
  headers: Record<string, string> = {},
): Response {
  const response = refuse(context, status, message, headers);
  allowAnyOrigin(response.headers);
  return response;
}
