/** Stable: callers match on these. README.md says what each one means. */
export type InstanceErrorCode =
  | "NOT_FOUND"
  | "INVALID"
  | "INVALID_URL"
  | "CONFLICT"
  | "SAME_URL"
  | "LIMIT_REACHED"
  | "UNAVAILABLE"
  | "INVALID_OPTIONS";

/** An expected failure of the instances; the message is fit for clients: no keys, no paths. */
export class InstanceError extends Error {
  override readonly name = "InstanceError";
  readonly code: InstanceErrorCode;
  constructor(code: InstanceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** @throws {InstanceError} `UNAVAILABLE` once `closing` has aborted */
export function assertOpen(closing: AbortSignal): void {
  if (closing.aborted) throw new InstanceError("UNAVAILABLE", "the master is shutting down");
}
