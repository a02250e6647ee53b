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
    }
  | {
      /**
       * With `sizing`: `need`, the pool connections that the entry wants to have had in this session;
       * `keep`, the most idle ones that the client wants; `max`, the most that the server allows now.
       */
      readonly action: "need" | "keep" | "max";
      /** An integer from 0 to `MAX_COUNT`. */
      readonly count: number;
    };

/** Largest `count` of a signal, a u32. */
export const MAX_COUNT = 0xffff_ffff;

/** Whether `value` can be the `count` of a signal. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_COUNT;
}

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
