import { TunnelError } from "../errors.ts";

/** What a server tells the client at the end of the handshake; the client obeys it. */
export interface HandshakeAnswer {
  /** `-` reverse: the server's side takes the users; `+` forward: the client's side does. */
  readonly flow: "-" | "+";
  /** Most idle pool connections. Integer, at least 1. */
  readonly max: number;
  /** TLS of the pool: 0 none, 1 self-signed, 2 verified. */
  readonly tls: 0 | 1 | 2;
  /** Kind of the pool: 0 TCP, 1 QUIC, 2 WebSocket, 3 HTTP/2. */
  readonly type: 0 | 1 | 2 | 3;
}

/** Longest body that is read; the longest that is sent has some 250 characters. */
export const MAX_ANSWER_CHARS = 16_384;

/**
 * Writes the answer's body byte for byte as a NodePass 1.14 server does: `tls` and `type` as text,
 * no white space, an LF at the end.
 *
 * @see docs/protocol.md, "Handshake"
 */
export function formatHandshakeAnswer(answer: HandshakeAnswer): string {
  return `{${answerFields(answer)}}\n`;
}

/** The four fields without braces, so that further ones can follow them. */
export function answerFields({ flow, max, tls, type }: HandshakeAnswer): string {
  return `"flow":"${flow}","max":${max},"tls":"${tls}","type":"${type}"`;
}

/**
 * Reads the answer of a NodePass 1.14 server: numbers may be text, `type` may be missing (before
 * 1.13), further fields are left alone.
 *
 * @param text the whole body
 * @throws {TunnelError} `HANDSHAKE_INVALID` naming the field, its value and what is allowed
 */
export function parseHandshakeAnswer(text: string): HandshakeAnswer {
  return toHandshakeAnswer(parseAnswerObject(text));
}

/** The body as an object whose fields are unknown. */
export function parseAnswerObject(text: string): Readonly<Record<string, unknown>> {
  if (text.length > MAX_ANSWER_CHARS) {
    throw invalid(`answer of ${text.length} characters exceeds ${MAX_ANSWER_CHARS}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TunnelError("HANDSHAKE_INVALID", "the server's answer is no JSON", { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("the server's answer is no JSON object");
  }
  return value as Readonly<Record<string, unknown>>;
}

/** Checks the four fields that every server sends. */
export function toHandshakeAnswer(fields: Readonly<Record<string, unknown>>): HandshakeAnswer {
  const flow = fields.flow;
  if (flow !== "-" && flow !== "+") throw answerFieldError("flow", flow, '"-" or "+"');
  const max = toInteger(fields.max);
  if (max === undefined) throw answerFieldError("max", fields.max, "an integer from 0");
  return {
    flow,
    // A 1.14 server sends 0 for a `max` that it could not read.
    max: Math.max(1, max),
    tls: toChoice(fields.tls, "tls", [0, 1, 2]),
    type: fields.type === undefined ? 0 : toChoice(fields.type, "type", [0, 1, 2, 3]),
  };
}

/** The error for one field of an answer. */
export function answerFieldError(field: string, value: unknown, allowed: string): TunnelError {
  const shown = value === undefined ? "missing" : (JSON.stringify(value) ?? typeof value);
  return invalid(`${field} of the server's answer is ${shown.slice(0, 64)}, not ${allowed}`);
}

function toChoice<N extends number>(value: unknown, field: string, allowed: readonly N[]): N {
  const number = toInteger(value);
  const choice = allowed.find((one) => one === number);
  if (choice === undefined) throw answerFieldError(field, value, `one of ${allowed.join(", ")}`);
  return choice;
}

/** A JSON number, or its decimal digits as text, that is an integer from 0; else `undefined`. */
function toInteger(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0
    ? number
    : undefined;
}

function invalid(message: string): TunnelError {
  return new TunnelError("HANDSHAKE_INVALID", message);
}
