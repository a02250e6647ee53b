import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { explainError, isClientError } from "./explain-error.ts";
import { McpError } from "./mcp-error.ts";

/**
 * Does something and passes on what an agent may be told of its failure, as an error of the protocol.
 *
 * @throws {ProtocolError} `-32602` for what is not there or not allowed, `-32603` for all else
 */
export async function asProtocolErrors<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const text = explainError(error);
    if (text === undefined) throw error;
    const isTheirs = error instanceof McpError || isClientError(error, "NOT_FOUND");
    const { InvalidParams, InternalError } = ProtocolErrorCode;
    throw new ProtocolError(isTheirs ? InvalidParams : InternalError, text);
  }
}

/** An error for a name that nothing has. */
export function notThere(
  what: "prompt" | "resource",
  name: string,
  allowed: Iterable<string>,
): ProtocolError {
  const shown = JSON.stringify(name.slice(0, 200));
  return new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `no ${what} ${shown} (allowed: ${[...allowed].join(", ")})`,
  );
}
