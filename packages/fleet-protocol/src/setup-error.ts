/** Stable: callers match on these. README.md says what each one means. */
export type FleetSetupErrorCode = "INVALID_OPTIONS" | "BAD_SECRETS" | "BAD_JWT";

/** What a fleet is set up with cannot be used. The message holds no seed and no key. */
export class FleetSetupError extends Error {
  override readonly name = "FleetSetupError";
  readonly code: FleetSetupErrorCode;
  constructor(code: FleetSetupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
