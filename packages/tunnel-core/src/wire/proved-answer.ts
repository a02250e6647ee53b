import { isFingerprint } from "./certificate-fingerprint.ts";
import { isExtensionName, LANES, MAX_EXTENSIONS } from "./extensions.ts";
import {
  answerFieldError,
  answerFields,
  type HandshakeAnswer,
  parseAnswerObject,
  toHandshakeAnswer,
} from "./handshake-answer.ts";

/** What a server of this project answers to a client that has proved itself. */
export interface ProvedAnswer extends HandshakeAnswer {
  /** The session's id: sixteen lower-case hex digits, eight random bytes. */
  readonly session: string;
  /** Fingerprint of the certificate on pool connections; "" with `tls` 0. */
  readonly fp: string;
  /** The extensions in force: some of those that the client offered. */
  readonly ext: readonly string[];
  /** Pool connections that are to be lanes, 1 to 64, where `lanes` is in force. */
  readonly lanes?: number | undefined;
}

/** Most lanes of a session. */
const MAX_LANES = 64;

/**
 * Writes the body: the four fields of `formatHandshakeAnswer`, then session, fp and ext, and lanes
 * where they are in force.
 *
 * @see docs/protocol.md, "The proved answer"
 */
export function formatProvedAnswer(answer: ProvedAnswer): string {
  const { session, fp, ext } = answer;
  const names = ext.map((name) => `"${name}"`).join(",");
  const lanes = ext.includes(LANES) ? `,"lanes":${answer.lanes}` : "";
  return `{${answerFields(answer)},"session":"${session}","fp":"${fp}","ext":[${names}]${lanes}}\n`;
}

/**
 * Reads the body. Verify the server's proof over its bytes first.
 *
 * @param text the whole body
 * @param offered the extensions that the client's request named
 * @throws {TunnelError} `HANDSHAKE_INVALID` naming the field, its value and what is allowed
 */
export function parseProvedAnswer(text: string, offered: readonly string[]): ProvedAnswer {
  const fields = parseAnswerObject(text);
  const answer = toHandshakeAnswer(fields);
  const { session, fp, ext } = fields;
  if (typeof session !== "string" || !/^[0-9a-f]{16}$/.test(session)) {
    throw answerFieldError("session", session, "16 lower-case hex digits");
  }
  if (typeof fp !== "string" || (answer.tls === 0 ? fp !== "" : !isFingerprint(fp))) {
    throw answerFieldError("fp", fp, answer.tls === 0 ? "empty without tls" : "sha256:AA:BB:…");
  }
  if (!isNameList(ext) || !ext.every((name) => offered.includes(name))) {
    throw answerFieldError("ext", ext, `a list of some of ${offered.join(", ") || "nothing"}`);
  }
  if (!ext.includes(LANES)) return { ...answer, session, fp, ext };
  return { ...answer, session, fp, ext, lanes: toLanes(fields.lanes) };
}

function toLanes(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_LANES) {
    return value;
  }
  throw answerFieldError("lanes", value, `an integer from 1 to ${MAX_LANES}`);
}

function isNameList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_EXTENSIONS &&
    value.every((name) => typeof name === "string" && isExtensionName(name)) &&
    new Set(value).size === value.length
  );
}
