import { ServiceError } from "@nodepass/model";

/** Stable: callers match on these. README.md says what each one means. */
export type MasterServerErrorCode =
  | "INVALID_OPTIONS"
  | "ADDRESS_IN_USE"
  | "ADDRESS_UNUSABLE"
  | "CERTIFICATE_INVALID"
  | "STATE_LOCKED"
  | "STATE_UNUSABLE"
  | "IMPORT_FAILED"
  | "STOP_INCOMPLETE";

/** Any failure to start or stop a master; `cause` holds the error behind it. */
export class MasterServerError extends Error {
  override readonly name = "MasterServerError";
  readonly code: MasterServerErrorCode;
  constructor(code: MasterServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a part of the master finds wrong with its options is wrong with the master's. */
export function toMasterServerError(error: unknown): unknown {
  if (!(error instanceof ServiceError)) return error;
  return new MasterServerError("INVALID_OPTIONS", error.message, { cause: error });
}
