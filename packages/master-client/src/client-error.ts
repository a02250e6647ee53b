/** Stable: callers match on these. README.md says what each one means. */
export type MasterClientErrorCode =
  | "INVALID"
  | "NOT_FOUND"
  | "PROFILES_UNUSABLE"
  | "REFUSED"
  | "UNAUTHORIZED"
  | "UNREACHABLE";

/** What may be known of a failure beside its message. */
export interface MasterClientErrorOptions extends ErrorOptions {
  /** Lines that follow the message. */
  readonly details?: readonly string[] | undefined;
  /** Status of the answer, if there was one. */
  readonly status?: number | undefined;
}

/**
 * Why a master could not be asked or did not do it. Message and details may hold text that the
 * master sent: of bounded length, to be made safe for where it is shown. The key is not in them.
 */
export class MasterClientError extends Error {
  override readonly name = "MasterClientError";
  readonly code: MasterClientErrorCode;
  readonly details: readonly string[];
  readonly status: number | undefined;

  constructor(
    code: MasterClientErrorCode,
    message: string,
    options: MasterClientErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.details = options.details ?? [];
    this.status = options.status;
  }
}
