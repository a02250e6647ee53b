/** Stable: callers match on these. README.md says what each one means. */
export type StoreErrorCode =
  | "INVALID_OPTIONS"
  | "DIRECTORY_UNUSABLE"
  | "LOCKED"
  | "LOCK_LOST"
  | "FUTURE_VERSION"
  | "UNREADABLE"
  | "TOO_LARGE"
  | "INVALID_STATE"
  | "WRITE_FAILED"
  | "CLOSED";

/** What a {@link StoreError} carries besides its message. */
export interface StoreErrorOptions extends ErrorOptions {
  /** `LOCKED`: the process that holds the directory, where it could be told. */
  holderPid?: number | undefined;
}

/** Any failure of the state file; `cause` holds the system error behind it. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  /** `LOCKED`: the process that holds the directory, where it could be told. */
  readonly holderPid: number | undefined;

  constructor(code: StoreErrorCode, message: string, options?: StoreErrorOptions) {
    super(message, options);
    this.code = code;
    this.holderPid = options?.holderPid;
  }
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "disk quota exceeded",
  EFBIG: "file size limit reached",
  EIO: "input/output error",
  EISDIR: "it is a directory",
  EMFILE: "too many open files",
  ENFILE: "too many open files in the system",
  ENOENT: "it does not exist",
  ENOSPC: "no space left on the disk",
  ENOTDIR: "part of the path is not a directory",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
};

/** Code of the first system error in the chain of causes (`ENOSPC`), `undefined` if there is none. */
export function systemCode(error: unknown): string | undefined {
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if (
      "code" in current &&
      typeof current.code === "string" &&
      /^E[A-Z0-9]+$/.test(current.code)
    ) {
      return current.code;
    }
    current = current.cause;
  }
  return undefined;
}

/** Turns whatever was thrown into a {@link StoreError}; one that is already ours passes through. */
export function toStoreError(code: StoreErrorCode, what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const system = systemCode(error);
  const fallback = error instanceof Error ? error.message : String(error);
  const reason = system === undefined ? fallback : (SYSTEM_REASONS[system] ?? fallback);
  const suffix = system === undefined ? "" : ` (${system})`;
  return new StoreError(code, `${what}: ${reason}${suffix}`, { cause: error });
}
