import { createHmac } from "node:crypto";

/**
 * The token of a NodePass 1.14 handshake: HMAC-SHA256 over the empty message, lower-case hex.
 *
 * It is the same for ever, so it proves nothing once somebody has seen it; between two nodes of
 * this project it is never sent.
 *
 * @param key the tunnel key
 * @see docs/protocol.md, "Handshake"
 */
export function tunnelToken(key: string): string {
  return createHmac("sha256", key).update("").digest("hex");
}
