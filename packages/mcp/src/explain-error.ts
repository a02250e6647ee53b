import type { MasterClientError, MasterClientErrorCode } from "@nodepass/master-client";
import { UrlConfigError } from "@nodepass/url-config";
import { McpError } from "./mcp-error.ts";

/**
 * What an agent is told of a failure.
 *
 * @returns `undefined` for a fault of the program, whose text is none of an agent's business
 */
export function explainError(error: unknown): string | undefined {
  if (isClientError(error)) return [error.message, ...error.details].join("\n");
  if (error instanceof McpError || error instanceof UrlConfigError) return error.message;
  return undefined;
}

/**
 * Whether an error is one of a master's client. By its name: the client comes from outside, and may be
 * of another copy of its package, as it is in the bundled command.
 */
export function isClientError(
  error: unknown,
  code?: MasterClientErrorCode,
): error is MasterClientError {
  if (!(error instanceof Error && error.name === "MasterClientError" && "code" in error)) {
    return false;
  }
  return code === undefined || error.code === code;
}
