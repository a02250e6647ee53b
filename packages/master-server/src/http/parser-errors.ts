import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

const statusByCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers what Node's parser could not make a request of, as the API answers errors, and closes
 * the connection.
 *
 * @param canAnswer false if another answer is on its way, which a second one would spoil
 */
export function answerParserError(error: Error, connection: Duplex, canAnswer: boolean): void {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (!canAnswer || !connection.writable || code === "ECONNRESET") {
    connection.destroy();
    return;
  }
  const status = statusByCode[code] ?? 400;
  const text = STATUS_CODES[status] ?? "Bad Request";
  const body = JSON.stringify({ error: text.charAt(0) + text.slice(1).toLowerCase() });
  connection.end(
    `HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    // Else a client that goes on sending would keep it half open.
    () => connection.destroy(),
  );
}
