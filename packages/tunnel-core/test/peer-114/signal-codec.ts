/** A control connection's signal, as a 1.14 node writes it. */
export type Signal =
  | { readonly action: "tcp" | "udp"; readonly remote: string; readonly id: string }
  | { readonly action: "ping" | "pong" | "flush" }
  | { readonly action: "verify"; readonly id: string; readonly fp: string };

/** What became of a line: a signal, or the text that says what a 1.14 node would not have sent. */
export type Decoded =
  | { readonly ok: true; readonly signal: Signal }
  | { readonly ok: false; readonly violation: string };

/** Longest control line that any 1.14 signal can come near, in bytes. */
export const MAX_LINE_BYTES = 1024;

const ID = /^[0-9a-f]{8}$/;
const REMOTE = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\]):\d{1,5}$/;
const FINGERPRINT = /^sha256:[0-9A-F]{2}(?::[0-9A-F]{2}){31}$/;

/** The JSON text in the order of keys that the recordings show, without any white space. */
export function signalText(signal: Signal): string {
  switch (signal.action) {
    case "tcp":
    case "udp":
      return `{"action":"${signal.action}","remote":"${signal.remote}","id":"${signal.id}"}`;
    case "verify":
      return `{"action":"verify","id":"${signal.id}","fp":"${signal.fp}"}`;
    case "ping":
    case "pong":
    case "flush":
      return `{"action":"${signal.action}"}`;
  }
}

/** XOR with the key's bytes repeated; its own inverse. */
export function xorWithKey(bytes: Buffer, key: string): Buffer {
  const secret = Buffer.from(key, "utf8");
  if (secret.length === 0) return Buffer.from(bytes);
  return Buffer.from(bytes.map((byte, index) => byte ^ (secret[index % secret.length] ?? 0)));
}

/** A signal as a control line: base64 of the XORed JSON text, then LF. */
export function encodeSignal(signal: Signal, key: string): string {
  return `${xorWithKey(Buffer.from(signalText(signal), "utf8"), key).toString("base64")}\n`;
}

/** Reads one control line (without its LF), refusing whatever differs from 1.14's own output. */
export function decodeSignal(line: string, key: string): Decoded {
  const bytes = Buffer.from(line, "base64");
  if (line === "" || bytes.toString("base64") !== line) {
    return { ok: false, violation: `control line is not padded base64: ${JSON.stringify(line)}` };
  }
  const text = xorWithKey(bytes, key).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, violation: `control line is not JSON: ${JSON.stringify(text)}` };
  }
  const signal = parseSignal(value);
  if (signal === undefined) return { ok: false, violation: `not a 1.14 signal: ${text}` };
  if (signalText(signal) !== text) {
    return { ok: false, violation: `signal is not written as 1.14 writes it: ${text}` };
  }
  return { ok: true, signal };
}

function parseSignal(value: unknown): Signal | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const field = (name: string): unknown => Object.getOwnPropertyDescriptor(value, name)?.value;
  const action = field("action");
  if (action === "ping" || action === "pong" || action === "flush") return { action };
  const id = field("id");
  if (typeof id !== "string" || !ID.test(id)) return undefined;
  if (action === "verify") {
    const fp = field("fp");
    // An empty fingerprint is what a 1.14 server with tls=2 sends; who may send it is judged later.
    return typeof fp === "string" && (fp === "" || FINGERPRINT.test(fp))
      ? { action, id, fp }
      : undefined;
  }
  const remote = field("remote");
  if ((action !== "tcp" && action !== "udp") || typeof remote !== "string") return undefined;
  return REMOTE.test(remote) ? { action, remote, id } : undefined;
}

/** Cuts a byte stream into lines at LF, keeping an unfinished rest. */
export class LineCutter {
  #rest = "";

  /** Bytes after the last LF. */
  get rest(): string {
    return this.#rest;
  }

  /** The lines that `chunk` completes, without their LF. */
  push(chunk: Buffer): string[] {
    const parts = (this.#rest + chunk.toString("latin1")).split("\n");
    this.#rest = parts.pop() ?? "";
    return parts;
  }
}
