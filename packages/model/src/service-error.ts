/** Stable: callers match on these. README.md says what each one means. */
export type ServiceErrorCode =
  | "NOT_FOUND"
  | "INVALID"
  | "INVALID_URL"
  | "FORBIDDEN"
  | "CONFLICT"
  | "SAME_URL"
  | "PRECONDITION"
  | "LIMIT_REACHED"
  | "UNAVAILABLE"
  | "INVALID_OPTIONS";

/**
 * An expected failure of a master. The message reaches clients: no keys, no paths, no stack. Who
 * handles it matches on `code` and not on the class.
 */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: ServiceErrorCode;
  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
