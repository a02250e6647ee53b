/** Stable: callers match on these. README.md says what each one means. */
export type GoStateErrorCode = "GOB_INVALID" | "GOB_UNSUPPORTED" | "GO_STATE_INVALID";

/** A file that is no state of the Go program, or not a whole one. */
export class GoStateError extends Error {
  override readonly name = "GoStateError";
  readonly code: GoStateErrorCode;

  constructor(code: GoStateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
