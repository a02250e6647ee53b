import { MasterClientError } from "./client-error.ts";

/** What system errors mean to people; the system's own words stay for all others. */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: nothing listens there",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  EHOSTUNREACH: "the host is not reachable",
  ENETUNREACH: "the network is not reachable",
  ETIMEDOUT: "time-out",
};

/**
 * A failure to get an answer of the master at `origin`.
 *
 * @example
 * throw unreachable("http://127.0.0.1:9090", "connection refused");
 */
export function unreachable(
  origin: string,
  fault: string,
  details: readonly string[] = [],
  status?: number,
): MasterClientError {
  return new MasterClientError("UNREACHABLE", `no answer of the master at ${origin}: ${fault}`, {
    details,
    status,
  });
}

/** Turns what went wrong on the way to a master into an error that says so. */
export function toConnectionError(origin: string, error: unknown): MasterClientError {
  if (error instanceof MasterClientError) return error;
  const code = findCode(error);
  if (code !== undefined && /^(?:EPROTO$|ERR_SSL_)/.test(code)) {
    return unreachable(origin, "no TLS is spoken there", [
      "Does the master's URL start with http://?",
    ]);
  }
  const text = error instanceof Error ? error.message : String(error);
  const hint =
    (code === "ECONNRESET" || code === "HPE_INVALID_CONSTANT") && origin.startsWith("http:")
      ? ["Does the master have tls=1 or tls=2? Then its URL starts with https://."]
      : [];
  return unreachable(origin, (code && meanings[code]) ?? (text || "unknown error"), hint);
}

/** The code of a system error; with several addresses tried, that of the first. */
function findCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return error instanceof AggregateError ? findCode(error.errors[0]) : findCode(error.cause);
}
