/** Stable: callers match on these. README.md says what each one means. */
export type FleetAgentErrorCode =
  | "BAD_TOKEN"
  | "JOIN_REFUSED"
  | "UNREACHABLE"
  | "NOT_GENUINE"
  | "ALREADY_MEMBER"
  | "FILE_UNUSABLE"
  | "INVALID_OPTIONS";

/** What keeps a master from being the member of a fleet. No message has a secret in it. */
export class FleetAgentError extends Error {
  override readonly name = "FleetAgentError";
  readonly code: FleetAgentErrorCode;
  constructor(code: FleetAgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
