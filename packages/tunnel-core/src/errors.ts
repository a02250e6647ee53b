/** Stable: callers match on these. README.md says what each one means. */
export type TunnelErrorCode =
  | "INVALID_OPTIONS"
  | "ADDRESS_IN_USE"
  | "BIND_FAILED"
  | "CERTIFICATE_INVALID"
  | "HANDSHAKE_REJECTED"
  | "HANDSHAKE_TIMEOUT"
  | "HANDSHAKE_INVALID"
  | "PEER_UNPROVED"
  | "PEER_CERTIFICATE_MISMATCH"
  | "PEER_LOST"
  | "POOL_TIMEOUT"
  | "TARGET_UNREACHABLE"
  | "NAME_NOT_RESOLVED"
  | "SIGNAL_INVALID"
  | "SIGNAL_TOO_LARGE"
  | "FRAME_INVALID"
  | "HELLO_INVALID"
  | "PROXY_FAILED"
  | "UNSUPPORTED_POOL_TYPE"
  | "SLOTS_TAKEN"
  | "CLOSED";

/** Any failure of a tunnel; `cause` holds the system error behind it. */
export class TunnelError extends Error {
  override readonly name = "TunnelError";
  readonly code: TunnelErrorCode;

  constructor(code: TunnelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** One of another copy of this package too: the command's files have their own, a carrier its. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "TunnelError" && "code" in value;
  }
}

/** An error as one of ours: itself, or with `code` and the original as its cause. */
export function asTunnelError(error: unknown, code: TunnelErrorCode): TunnelError {
  if (error instanceof TunnelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TunnelError(code, message, { cause: error });
}
