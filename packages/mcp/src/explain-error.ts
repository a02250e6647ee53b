import { MasterClientError } from "@nodepass/master-client";
import { UrlConfigError } from "@nodepass/url-config";
import { McpError } from "./mcp-error.ts";

/**
 * What an agent is told of a failure.
 *
 * @returns `undefined` for a fault of the program, whose text is none of an agent's business
 */
export function explainError(error: unknown): string | undefined {
  if (error instanceof MasterClientError) return [error.message, ...error.details].join("\n");
  if (error instanceof McpError || error instanceof UrlConfigError) return error.message;
  return undefined;
}
