import { connect } from "node:net";
import type { TcpingResult } from "@nodepass/model";

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
 * Opens and closes one TCP connection. A name with several addresses is tried address by address.
 *
 * @param signal ends the attempt, which then counts as failed
 */
export function tcping(host: string, port: number, signal: AbortSignal): Promise<TcpingResult> {
  return new Promise((resolve) => {
    const failed = (error: string): TcpingResult => ({ connected: false, latencyMs: 0, error });
    if (signal.aborted) {
      resolve(failed("aborted"));
      return;
    }
    let startedAt = performance.now();
    const socket = connect({ host, port });
    const settle = (outcome: TcpingResult): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const onAbort = (): void => settle(failed("connection timed out"));
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("connectionAttempt", () => {
      startedAt = performance.now();
    });
    socket.once("connect", () => {
      settle({ connected: true, latencyMs: performance.now() - startedAt, error: null });
    });
    // Stays after the end: a destroyed socket may still report.
    socket.on("error", (error) => settle(failed(reasonOf(error))));
  });
}

/** The system's own text names addresses and calls; several attempts give one error without text. */
function reasonOf(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return reasons[code] ?? (code === "" ? "connection failed" : `connection failed (${code})`);
}
