import { TunnelError } from "../errors.ts";
import {
  CLOSE_INVALID_TEXT,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_BIG,
  CLOSE_UNSUPPORTED,
  MAX_CONTROL_BYTES,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from "./websocket-frame.ts";
import { MASK_BYTES, maskInPlace } from "./websocket-mask.ts";

/** What a WebSocket connection brings. */
export interface WebSocketSink {
  /** Bytes of a binary message, unmasked, at `start` to `end` of `buffer`. */
  onPayload(buffer: Buffer, start: number, end: number): void;
  /** @param payload a view that is valid during the call only */
  onPing(payload: Buffer): void;
  onPong(): void;
  /** The peer ends the stream; nothing after it is read. @param code `undefined`: it gave none */
  onCloseFrame(code: number | undefined): void;
}

/** Longest header after its first two bytes: a 64-bit length and a masking key. */
const MAX_REST_BYTES = 12;
/** Above this a length is not exact in a double; no peer sends 8 PiB in one message. */
const MAX_HIGH_WORD = 0x1f_ffff;

/**
 * Cuts the bytes of a WebSocket connection into frames (RFC 6455, section 5). Binary messages are
 * one stream of bytes: their edges mean nothing, whole or in fragments, and their payload is passed
 * on as it arrives, unmasked in the buffer that it came in. So nothing is put together but headers
 * and control frames, in 12 and 125 bytes, and no length can fill the memory.
 */
export class WebSocketDecoder {
  /** The close code that fits the fault, once `decode` has thrown. */
  fault: number | undefined;
  readonly #masked: boolean;
  readonly #rest = new Uint8Array(MAX_REST_BYTES);
  readonly #key = new Uint8Array(MASK_BYTES);
  #control: Buffer | undefined;
  #controlBytes = 0;
  /** Bytes of the header that have come; 0 between frames. */
  #headerBytes = 0;
  #headerLength = 2;
  #first = 0;
  #second = 0;
  /** Payload of the present frame still to come. */
  #remaining = 0;
  #phase = 0;
  #inPayload = false;
  /** A message has begun whose last fragment has not. */
  #fragmented = false;
  #closed = false;

  /** @param masked whether the peer masks (it is a client) or must not (it is a server) */
  constructor(masked: boolean) {
    this.#masked = masked;
  }

  /** The peer has said that its stream ends. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Takes the bytes at `start` to `end`; they are changed (unmasked) where they lie.
   *
   * @throws {TunnelError} `FRAME_INVALID`; `fault` holds the close code, the connection is unusable
   */
  decode(buffer: Buffer, start: number, end: number, sink: WebSocketSink): void {
    let at = start;
    while (at < end && !this.#closed) {
      if (!this.#inPayload) {
        this.#header(buffer[at++] ?? 0);
        // Even an empty payload is an event.
        if (this.#inPayload && this.#remaining === 0) this.#finish(sink);
        continue;
      }
      const stop = Math.min(end, at + this.#remaining);
      if (this.#masked) maskInPlace(buffer, at, stop, this.#key, this.#phase);
      this.#phase += stop - at;
      this.#remaining -= stop - at;
      if (this.#opcode < OPCODE_CLOSE) sink.onPayload(buffer, at, stop);
      else this.#keep(buffer, at, stop);
      at = stop;
      if (this.#remaining === 0) this.#finish(sink);
    }
  }

  get #opcode(): number {
    return this.#first & 0x0f;
  }

  #header(byte: number): void {
    const known = this.#headerBytes++;
    if (known === 0) {
      this.#first = byte;
      return;
    }
    if (known === 1) {
      this.#second = byte;
      this.#check();
      const length = byte & 0x7f;
      const extended = length < 126 ? 0 : length === 126 ? 2 : 8;
      this.#headerLength = 2 + extended + (this.#masked ? MASK_BYTES : 0);
    } else {
      this.#rest[known - 2] = byte;
    }
    if (this.#headerBytes === this.#headerLength) this.#headed();
  }

  /** What the first two bytes say has to fit, before anything else is believed. */
  #check(): void {
    const opcode = this.#opcode;
    if ((this.#first & 0x70) !== 0) throw this.#broken("reserved bits are set");
    if (((this.#second & 0x80) !== 0) !== this.#masked) {
      throw this.#broken(this.#masked ? "frame is not masked" : "frame is masked");
    }
    const last = (this.#first & 0x80) !== 0;
    switch (opcode) {
      case OPCODE_CONTINUATION:
        if (!this.#fragmented) throw this.#broken("continuation of no message");
        this.#fragmented = !last;
        return;
      case OPCODE_TEXT:
        throw this.#broken("text message", CLOSE_UNSUPPORTED);
      case OPCODE_BINARY:
        if (this.#fragmented) throw this.#broken("message inside a fragmented one");
        this.#fragmented = !last;
        return;
      case OPCODE_CLOSE:
      case OPCODE_PING:
      case OPCODE_PONG:
        if (!last) throw this.#broken("control frame in fragments");
        if ((this.#second & 0x7f) > MAX_CONTROL_BYTES) {
          throw this.#broken(`control frame longer than ${MAX_CONTROL_BYTES} bytes`);
        }
        return;
      default:
        throw this.#broken(`unknown opcode ${opcode}`);
    }
  }

  #headed(): void {
    const rest = this.#rest;
    const length = this.#second & 0x7f;
    let at = 0;
    if (length < 126) {
      this.#remaining = length;
    } else {
      const bytes = length === 126 ? 2 : 8;
      let high = 0;
      let low = 0;
      for (; at < bytes; at++) {
        if (bytes - at > 4) high = high * 256 + (rest[at] ?? 0);
        else low = low * 256 + (rest[at] ?? 0);
      }
      if (high >= 2 ** 31) throw this.#broken("length with its highest bit set");
      if (high > MAX_HIGH_WORD) throw this.#broken("message too long to count", CLOSE_TOO_BIG);
      this.#remaining = high * 2 ** 32 + low;
    }
    for (let i = 0; i < MASK_BYTES; i++) this.#key[i] = rest[at + i] ?? 0;
    this.#phase = 0;
    this.#inPayload = true;
    this.#controlBytes = 0;
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    this.#control ??= Buffer.allocUnsafeSlow(MAX_CONTROL_BYTES);
    this.#controlBytes += buffer.copy(this.#control, this.#controlBytes, start, end);
  }

  /** The present frame is whole. */
  #finish(sink: WebSocketSink): void {
    this.#inPayload = false;
    this.#headerBytes = 0;
    this.#headerLength = 2;
    const opcode = this.#opcode;
    if (opcode < OPCODE_CLOSE) return;
    const payload = this.#control?.subarray(0, this.#controlBytes) ?? Buffer.alloc(0);
    if (opcode === OPCODE_PING) sink.onPing(payload);
    else if (opcode === OPCODE_PONG) sink.onPong();
    else this.#close(payload, sink);
  }

  #close(payload: Buffer, sink: WebSocketSink): void {
    if (payload.length === 1) throw this.#broken("close frame of one byte");
    const code = payload.length === 0 ? undefined : payload.readUInt16BE(0);
    if (code !== undefined && !isSendable(code)) throw this.#broken(`close code ${code}`);
    if (payload.length > 2 && !isUtf8(payload.subarray(2))) {
      throw this.#broken("close reason that is no utf-8", CLOSE_INVALID_TEXT);
    }
    this.#closed = true;
    sink.onCloseFrame(code);
  }

  #broken(what: string, code = CLOSE_PROTOCOL_ERROR): TunnelError {
    this.fault = code;
    this.#closed = true;
    return new TunnelError("FRAME_INVALID", `websocket: ${what}`);
  }
}

/** Codes that may be on the wire (RFC 6455, section 7.4, and the registry that it founded). */
function isSendable(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    // A TypeError: it is none.
    return false;
  }
}
