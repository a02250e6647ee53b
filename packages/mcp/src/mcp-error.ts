/** Stable: callers match on these. README.md says what each one means. */
export type McpErrorCode = "INVALID" | "NOT_FOUND" | "FILE_UNUSABLE";

/**
 * Why a tool did not do what it was asked for. The message goes to the agent: what was wrong, and
 * what is allowed; no keys.
 */
export class McpError extends Error {
  override readonly name = "McpError";
  readonly code: McpErrorCode;

  constructor(code: McpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
