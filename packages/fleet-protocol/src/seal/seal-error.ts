/** Stable: callers match on these. README.md says what each one means. */
export type SealErrorCode = "BAD_SEAL" | "REPEATED" | "BAD_FRAME" | "BAD_KEY";

/** A sealed body or record that is not taken. The message never holds what was in it. */
export class SealError extends Error {
  override readonly name = "SealError";
  readonly code: SealErrorCode;
  constructor(code: SealErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
