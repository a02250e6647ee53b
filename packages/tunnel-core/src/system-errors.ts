/** What the system's errors mean to people; one table for whatever listens, dials or asks. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: "not permitted",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "this host has no such address",
  EAI_AGAIN: "the name cannot be resolved now",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  EMFILE: "too many open files",
  ENETUNREACH: "network unreachable",
  ENFILE: "too many open files on this host",
  ENOTFOUND: "no such host",
  EPERM: "not permitted",
  EPIPE: "connection reset",
  ETIMEDOUT: "connection timed out",
};

/** Errors that are this host's own. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EADDRINUSE",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
]);

/**
 * The code of a system error (`ECONNREFUSED`, …), looked for in the error, in what it was caused by,
 * and, where several attempts gave one error, in the first of theirs.
 *
 * @example
 * if (systemErrorCode(error) === "ECONNREFUSED") console.log("nobody listens there");
 */
export function systemErrorCode(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    if ("code" in at && typeof at.code === "string" && /^E[A-Z_]+$/.test(at.code)) return at.code;
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return undefined;
}

/**
 * What a system error means, in plain words; the system's own text names addresses and calls.
 *
 * @returns `undefined` for an error that is none of the system's, or that is not known here
 * @example
 * console.log(systemErrorMeaning(error) ?? String(error));
 */
export function systemErrorMeaning(error: unknown): string | undefined {
  const code = systemErrorCode(error);
  return code === undefined ? undefined : MEANINGS[code];
}

/** Whether a dial failed for a reason of this host, which says nothing of whom it dialled. */
export function isOwnFault(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code !== undefined && OWN_FAULTS.has(code);
}

/**
 * What a stream's user is told when it was reset and the system has no error for that.
 *
 * @param message what has happened
 * @example
 * reader.onError(connectionReset("the peer has reset the stream"));
 */
export function connectionReset(message: string, cause?: unknown): NodeJS.ErrnoException {
  return Object.assign(new Error(message, { cause }), { code: "ECONNRESET" });
}
