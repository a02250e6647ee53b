import { connectFirst, type NameCache } from "@nodepass/tunnel-core";

/** Outcome of one TCP ping; a refused or timed out connection is an outcome, not an exception. */
export interface TcpingOutcome {
  readonly connected: boolean;
  /** From the first packet of the connection that succeeded, names already resolved; else 0. */
  readonly latencyMs: number;
  readonly error: string | null;
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "connection timed out",
  EADDRNOTAVAIL: "address not available",
  EACCES: "not permitted",
  EPERM: "not permitted",
  EMFILE: "too many open files",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name cannot be resolved now",
};

/**
 * Opens and closes one TCP connection. Of a name with several addresses the one that answers first
 * counts, as with targets; the cache is told of those that do not.
 *
 * @param signal ends the attempt, which then counts as failed
 */
export async function tcping(
  names: NameCache,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<TcpingOutcome> {
  const failed = (error: string): TcpingOutcome => ({ connected: false, latencyMs: 0, error });
  if (signal.aborted) return failed("aborted");
  try {
    const { socket, latencyMs } = await connectFirst(names, { host, port }, signal);
    socket.destroy();
    return { connected: true, latencyMs, error: null };
  } catch (error) {
    return failed(signal.aborted ? "connection timed out" : reasonOf(error));
  }
}

/** The system's own text names addresses and calls; a name's error holds the resolver's. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "connection failed";
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return reasons[code] ?? (code === "" ? "connection failed" : `connection failed (${code})`);
}
