import { TunnelError } from "../errors.ts";
import { isFingerprint } from "./certificate-fingerprint.ts";
import { parseRemote } from "./endpoint.ts";
import { isCount, isPoolId, type Signal, type SignalEvent, signalKeyBytes } from "./signal.ts";
import { createSignalEncoder } from "./signal-encoder.ts";

/** How a control connection's lines are read. */
export interface SignalDecoderOptions {
  /** Longest line without its LF. Integer, 64 to 1 048 576. @default 4096 */
  readonly maxLineBytes?: number | undefined;
}

const DEFAULT_MAX_LINE_BYTES = 4096;

/** Longest name of an unknown action that is handed on (to be logged). */
const MAX_NAME_CHARS = 32;

const LF = 0x0a;
const NONE: readonly SignalEvent[] = Object.freeze([]);
const EMPTY = Buffer.alloc(0);

/** Value of each base64 character; 64 for `=`, 255 for bytes that are none. */
const SEXTETS = sextets();

/** The signals without fields: always the same line, so they are known by their bytes. */
const CONSTANT_SIGNALS: readonly Signal[] = [
  Object.freeze({ action: "ping" }),
  Object.freeze({ action: "pong" }),
  Object.freeze({ action: "flush" }),
];

/**
 * Reads the lines of one control connection, however the stream is cut.
 *
 * Everything in a line comes from the network and is checked. No message of an error holds any of
 * a line's text: XORed with the key, chosen bytes would print the key into the log.
 *
 * @see docs/protocol.md, "Control connection"
 */
export class SignalDecoder {
  readonly #mask: Buffer;
  readonly #maxLineBytes: number;
  readonly #constants: readonly { readonly line: Buffer; readonly signal: Signal }[];
  /** The beginning of a line whose end has not arrived. */
  #partial = EMPTY;
  #have = 0;
  /** The JSON text of the line at hand. */
  #json = EMPTY;
  #failure: TunnelError | undefined;

  /**
   * @param key of the signals: the tunnel key towards a 1.14 node, else `signalKey()`
   * @throws {TunnelError} `INVALID_OPTIONS` for an empty key or a limit out of range
   */
  constructor(key: string, options?: SignalDecoderOptions) {
    const maxLineBytes = options?.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
    if (!Number.isInteger(maxLineBytes) || maxLineBytes < 64 || maxLineBytes > 1_048_576) {
      throw new TunnelError(
        "INVALID_OPTIONS",
        `maxLineBytes ${maxLineBytes} is not an integer from 64 to 1048576`,
      );
    }
    const encode = createSignalEncoder(key);
    this.#mask = signalKeyBytes(key);
    this.#maxLineBytes = maxLineBytes;
    this.#constants = CONSTANT_SIGNALS.map((signal) => ({
      line: Buffer.from(encode(signal).slice(0, -1), "latin1"),
      signal,
    }));
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @param chunk may be reused by the caller after the call
   * @returns what its complete lines say, in order
   * @throws {TunnelError} `SIGNAL_INVALID` for a line that is no signal, `SIGNAL_TOO_LARGE` for one
   *   over the limit, as soon as that is certain. The stream is then unusable: what the same chunk
   *   held before that line is dropped with it, and every further call throws the same error.
   */
  push(chunk: Uint8Array): readonly SignalEvent[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#read(chunk);
    } catch (error) {
      if (error instanceof TunnelError) this.#failure = error;
      this.#partial = EMPTY;
      this.#json = EMPTY;
      throw error;
    }
  }

  #read(chunk: Uint8Array): readonly SignalEvent[] {
    let events: SignalEvent[] | undefined;
    let at = 0;
    while (at < chunk.length) {
      const end = chunk.indexOf(LF, at);
      const stop = end < 0 ? chunk.length : end;
      if (this.#have + stop - at > this.#maxLineBytes) {
        throw new TunnelError(
          "SIGNAL_TOO_LARGE",
          `signal of more than maxLineBytes ${this.#maxLineBytes}`,
        );
      }
      if (end < 0) {
        this.#keep(chunk, at);
        break;
      }
      let event: SignalEvent;
      if (this.#have === 0) {
        event = this.#decode(chunk, at, end);
      } else {
        this.#keep(chunk.subarray(0, end), at);
        event = this.#decode(this.#partial, 0, this.#have);
        this.#have = 0;
      }
      events ??= [];
      events.push(event);
      at = end + 1;
    }
    return events ?? NONE;
  }

  #keep(chunk: Uint8Array, from: number): void {
    const needed = this.#have + chunk.length - from;
    if (needed > this.#partial.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(this.#maxLineBytes, Math.max(256, needed * 2)),
      );
      larger.set(this.#partial.subarray(0, this.#have));
      this.#partial = larger;
    }
    this.#partial.set(from === 0 ? chunk : chunk.subarray(from), this.#have);
    this.#have = needed;
  }

  #decode(bytes: Uint8Array, start: number, end: number): SignalEvent {
    for (const { line, signal } of this.#constants) {
      if (line.length === end - start && sameBytes(line, bytes, start)) return signal;
    }
    const length = this.#unmask(bytes, start, end);
    let value: unknown;
    try {
      value = JSON.parse(this.#json.toString("utf8", 0, length));
    } catch {
      // The parser's error quotes the text, see the class comment.
      throw invalid("signal is no JSON (another key?)");
    }
    return toSignal(value);
  }

  /** Undoes base64 and the key of one line, into `#json`; returns the length. */
  #unmask(bytes: Uint8Array, start: number, end: number): number {
    const chars = end - start;
    if (chars === 0 || chars % 4 !== 0) throw invalid(`signal of ${chars} bytes is no base64`);
    let padding = 0;
    if (bytes[end - 1] === 0x3d) padding = bytes[end - 2] === 0x3d ? 2 : 1;
    const length = (chars / 4) * 3 - padding;
    if (this.#json.length < length + 2) this.#json = Buffer.allocUnsafeSlow(length + 256);
    const json = this.#json;
    const mask = this.#mask;
    let out = 0;
    let k = 0;
    let bits = 0;
    for (let at = start, held = 0; at < end - padding; at++) {
      const sextet = SEXTETS[bytes[at] ?? 0] ?? 255;
      if (sextet === 255) throw invalid("signal is no base64");
      bits = ((bits << 6) | sextet) & 0xffff;
      held += 6;
      if (held >= 8) {
        held -= 8;
        json[out++] = (bits >>> held) ^ (mask[k] ?? 0);
        if (++k === mask.length) k = 0;
      }
    }
    // One text per signal: the bits beside the padding are zero.
    if (padding > 0 && (bits & (padding === 1 ? 0x03 : 0x0f)) !== 0) {
      throw invalid("signal is no base64");
    }
    return length;
  }
}

function toSignal(value: unknown): SignalEvent {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("signal is no JSON object");
  }
  const { action, remote, id, fp, count } = value as Readonly<Record<string, unknown>>;
  switch (action) {
    case "ping":
    case "pong":
    case "flush":
      return { action };
    case "tcp":
    case "udp":
      if (typeof remote !== "string" || parseRemote(remote) === undefined) {
        throw invalid(`remote of signal ${action} is no ip:port`);
      }
      return { action, remote, id: checkedId(action, id) };
    case "verify":
      // A 1.14 node leaves out what is empty.
      if (fp !== undefined && fp !== "" && !(typeof fp === "string" && isFingerprint(fp))) {
        throw invalid("fp of signal verify is no sha256 fingerprint");
      }
      return { action, id: checkedId(action, id), fp: fp ?? "" };
    case "need":
    case "keep":
    case "max":
      if (!isCount(count)) throw invalid(`count of signal ${action} is no u32`);
      return { action, count };
    default:
      if (typeof action !== "string") throw invalid("action of a signal is no text");
      return { action: "unknown", name: printable(action.slice(0, MAX_NAME_CHARS)) };
  }
}

function checkedId(action: string, id: unknown): string {
  if (typeof id === "string" && isPoolId(id)) return id;
  throw invalid(`id of signal ${action} is not 8 lower-case hex digits`);
}

/** A name fit for a log line: whatever is no printable ASCII becomes `?`. */
function printable(text: string): string {
  let out = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    out += code > 0x20 && code < 0x7f ? text.charAt(at) : "?";
  }
  return out;
}

function sameBytes(line: Uint8Array, bytes: Uint8Array, start: number): boolean {
  // From the end: the first characters of all constant lines are alike.
  for (let at = line.length - 1; at >= 0; at--) {
    if (line[at] !== bytes[start + at]) return false;
  }
  return true;
}

function sextets(): Uint8Array {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const table = new Uint8Array(256).fill(255);
  for (let at = 0; at < alphabet.length; at++) table[alphabet.charCodeAt(at)] = at;
  return table;
}

function invalid(message: string): TunnelError {
  return new TunnelError("SIGNAL_INVALID", message);
}
