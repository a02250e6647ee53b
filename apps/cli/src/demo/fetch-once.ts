import { get, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

/** Longest wait for a page, ms. */
const timeoutMs = 10_000;

/** Gets a page over a connection of its own, and says how that went. */
export async function fetchOnce(
  url: string,
): Promise<{ status: number; bytes: number; ms: number }> {
  const start = performance.now();
  const request = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on("response", resolve).on("error", reject);
  });
  const { length } = await buffer(response);
  const ms = Math.round(performance.now() - start);
  return { status: response.statusCode ?? 0, bytes: length, ms };
}
