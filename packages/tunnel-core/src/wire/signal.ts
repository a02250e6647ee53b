/** What one end tells the other on the control connection. */
export type Signal =
  | {
      /** Take pool connection `id`, dial the target, relay. */
      readonly action: "tcp" | "udp";
      /** The user's address as `ip:port`, IPv6 in brackets. */
      readonly remote: string;
      /** Eight lower-case hex digits. */
      readonly id: string;
    }
  | { readonly action: "ping" | "pong" | "flush" }
  | {
      readonly action: "verify";
      readonly id: string;
      /** `sha256:AA:…`, or "" from a 1.14 server with `tls` 2. */
      readonly fp: string;
    };

/** A signal, or a line that decodes and names an action that this version does not know. */
export type SignalEvent = Signal | { readonly action: "unknown"; readonly name: string };

/** The bytes of a signal key. */
export function signalKeyBytes(key: string): Buffer {
  return Buffer.from(key, "utf8");
}

/** Whether `text` is a pool connection's id: eight lower-case hex digits. */
export function isPoolId(text: string): boolean {
  if (text.length !== 8) return false;
  for (let at = 0; at < 8; at++) {
    const code = text.charCodeAt(at);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}
