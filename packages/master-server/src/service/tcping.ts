import type { TcpingResult } from "@nodepass/model";
import {
  connectFirst,
  type NameCache,
  systemErrorCode,
  systemErrorMeaning,
} from "@nodepass/tunnel-core";

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
): Promise<TcpingResult> {
  const failed = (error: string): TcpingResult => ({ connected: false, latencyMs: 0, error });
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
  const code = systemErrorCode(error);
  const unknown = code === undefined ? "connection failed" : `connection failed (${code})`;
  return systemErrorMeaning(error) ?? unknown;
}
