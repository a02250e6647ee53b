import { TunnelError } from "../errors.ts";
import { isExtensionName, MAX_EXTENSIONS } from "./extensions.ts";
import { CLIENT_ID_BYTES, KEY_ID_BYTES, NONCE_BYTES, PROOF_BYTES } from "./proof.ts";

/** The version of the proved handshake. */
const PROTOCOL_VERSION = 1;

/** Header of the answer that carries the server's proof. */
export const ANSWER_PROOF_HEADER = "NodePass-Proof";

/**
 * Header of the second request: the host and the path that the client asks for, which its proof
 * covers. Reverse proxies rewrite `Host`, and some the path.
 */
const ASKED_HEADER = "NodePass-Asked";

/** Header of the challenge, where several tunnels are on the port: the salt of their key ids. */
const SALT_HEADER = "NodePass-Salt";

/** Header of the second request: the id of the client's key under that salt. */
const KEY_ID_HEADER = "NodePass-Key-Id";

/** Host and path as one text: a host has no slash, a path begins with one. */
const ASKED = /^([^\s/]{1,255})(\/[!-~]{0,255})$/;

/** What a client asks for. */
export interface Asked {
  /** Value of its `Host`. */
  readonly host: string;
  readonly path: string;
}

/** Headers as Node's HTTP parser gives them: lower-case names, repeated ones joined by `, `. */
export type HandshakeHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What the headers of a request to the tunnel port say. */
export type HandshakeRequest =
  /** Neither a token nor a version: answer 401 without a challenge. */
  | { readonly kind: "plain" }
  /** A NodePass 1.14 client. */
  | { readonly kind: "token"; readonly token: string }
  /** First step of a client of this project: answer 401 with a challenge. */
  | { readonly kind: "opening"; readonly clientNonce: Buffer }
  /** Second step. */
  | ({ readonly kind: "proof" } & ProofHeaders);

/** What the second request carries. */
export interface ProofHeaders {
  /** The same as in the first request. */
  readonly clientNonce: Buffer;
  /** The client instance's identity. */
  readonly client: Buffer;
  /** The extensions that the client offers. */
  readonly extensions: readonly string[];
  readonly proof: Buffer;
  /** `undefined`: as on the request's own lines. */
  readonly asked?: Asked | undefined;
  /** Which of the port's tunnels is meant; `undefined`: the client does not know that there are several. */
  readonly keyId?: Buffer | undefined;
}

/** The first request's headers, beside `Host`. */
export function openingHeaders(clientNonce: Uint8Array): Record<string, string> {
  return {
    "NodePass-Version": String(PROTOCOL_VERSION),
    "NodePass-Nonce": toBase64Url(clientNonce),
  };
}

/** The second request's headers, beside `Host`. */
export function proofHeaders(input: {
  readonly clientNonce: Uint8Array;
  readonly client: Uint8Array;
  readonly extensions: readonly string[];
  readonly proof: Uint8Array;
  readonly asked?: Asked | undefined;
  readonly keyId?: Uint8Array | undefined;
}): Record<string, string> {
  const { asked, keyId } = input;
  return {
    ...openingHeaders(input.clientNonce),
    ...(asked !== undefined && { [ASKED_HEADER]: `${asked.host}${asked.path}` }),
    ...(keyId !== undefined && { [KEY_ID_HEADER]: toBase64Url(keyId) }),
    "NodePass-Client": toBase64Url(input.client),
    ...(input.extensions.length > 0 && { "NodePass-Extensions": input.extensions.join(",") }),
    Authorization: `NodePass-Proof ${toBase64Url(input.proof)}`,
  };
}

/**
 * Reads a request's headers.
 *
 * @throws {TunnelError} `HANDSHAKE_INVALID` naming the header and what is allowed, never its value
 * @see docs/protocol.md, "Proved handshake"
 */
export function parseHandshakeRequest(headers: HandshakeHeaders): HandshakeRequest {
  const authorization = single(headers, "authorization") ?? "";
  if (authorization.startsWith("Bearer ")) return { kind: "token", token: authorization.slice(7) };
  const version = single(headers, "nodepass-version");
  if (version === undefined) return { kind: "plain" };
  const proved = authorization.startsWith("NodePass-Proof ");
  // A first request names the highest version that the client speaks, a second the one in force.
  if (proved ? version !== String(PROTOCOL_VERSION) : !/^[1-9]\d{0,3}$/.test(version)) {
    throw invalid("nodepass-version", proved ? String(PROTOCOL_VERSION) : "an integer from 1");
  }
  const clientNonce = bytesOf(headers, "nodepass-nonce", NONCE_BYTES);
  if (!proved) return { kind: "opening", clientNonce };
  const proof = fromBase64Url(authorization.slice(15), PROOF_BYTES);
  if (proof === undefined) throw invalid("authorization", `${PROOF_BYTES} bytes in base64url`);
  return {
    kind: "proof",
    clientNonce,
    client: bytesOf(headers, "nodepass-client", CLIENT_ID_BYTES),
    extensions: parseExtensions(single(headers, "nodepass-extensions")),
    proof,
    asked: parseAsked(single(headers, ASKED_HEADER.toLowerCase())),
    keyId: optionalBytes(headers, KEY_ID_HEADER.toLowerCase(), KEY_ID_BYTES),
  };
}

/** The value of `WWW-Authenticate` in the answer to a first request. */
export function formatChallenge(serverNonce: Uint8Array): string {
  return `NodePass version="${PROTOCOL_VERSION}", nonce="${toBase64Url(serverNonce)}"`;
}

/** The challenge's headers. @param salt of the key ids, where several tunnels are on the port */
export function challengeHeaders(
  serverNonce: Uint8Array,
  salt: Uint8Array | undefined,
): Record<string, string> {
  return {
    "WWW-Authenticate": formatChallenge(serverNonce),
    ...(salt !== undefined && { [SALT_HEADER]: toBase64Url(salt) }),
  };
}

/**
 * The salt of a challenge.
 *
 * @param headers of the answer
 * @returns `undefined` if one tunnel is on the port, or an older server
 * @throws {TunnelError} `HANDSHAKE_INVALID` if it is malformed
 */
export function parseSalt(headers: HandshakeHeaders): Buffer | undefined {
  return optionalBytes(headers, SALT_HEADER.toLowerCase(), KEY_ID_BYTES);
}

/**
 * Reads the value of `WWW-Authenticate`.
 *
 * @returns the server's nonce, or `undefined` if the header is missing or of another scheme: the
 *   server is no node of this project
 * @throws {TunnelError} `HANDSHAKE_INVALID` for a challenge of ours that is malformed
 */
export function parseChallenge(value: string | undefined): Buffer | undefined {
  if (value === undefined || !/^nodepass /i.test(value)) return undefined;
  const match = /^nodepass version="1", nonce="([\w-]{1,64})"$/i.exec(value);
  const nonce = fromBase64Url(match?.[1] ?? "", NONCE_BYTES);
  if (nonce === undefined) throw invalid("www-authenticate", 'version="1" and a nonce of 32 bytes');
  return nonce;
}

/** The value of `NodePass-Proof` in the final answer. */
export function formatAnswerProof(proof: Uint8Array): string {
  return toBase64Url(proof);
}

/**
 * Reads the value of `NodePass-Proof`.
 *
 * @throws {TunnelError} `PEER_UNPROVED` if it is missing or malformed
 */
export function parseAnswerProof(value: string | undefined): Buffer {
  const proof = fromBase64Url(value ?? "", PROOF_BYTES);
  if (proof === undefined) {
    throw new TunnelError("PEER_UNPROVED", "the server's answer carries no proof");
  }
  return proof;
}

function parseAsked(value: string | undefined): Asked | undefined {
  if (value === undefined) return undefined;
  const [, host, path] = ASKED.exec(value) ?? [];
  if (host === undefined || path === undefined) {
    throw invalid(ASKED_HEADER.toLowerCase(), "a host and a path");
  }
  return { host, path };
}

function parseExtensions(value: string | undefined): readonly string[] {
  if (value === undefined) return [];
  const names = value.split(",", MAX_EXTENSIONS + 1);
  const unique = new Set(names);
  if (
    names.length > MAX_EXTENSIONS ||
    unique.size < names.length ||
    !names.every(isExtensionName)
  ) {
    throw invalid("nodepass-extensions", `at most ${MAX_EXTENSIONS} different names, with commas`);
  }
  return names;
}

function bytesOf(headers: HandshakeHeaders, name: string, length: number): Buffer {
  const bytes = fromBase64Url(single(headers, name) ?? "", length);
  if (bytes === undefined) throw invalid(name, `${length} bytes in base64url`);
  return bytes;
}

function optionalBytes(
  headers: HandshakeHeaders,
  name: string,
  length: number,
): Buffer | undefined {
  return single(headers, name) === undefined ? undefined : bytesOf(headers, name, length);
}

function single(headers: HandshakeHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** Exactly `length` bytes in their one unpadded spelling, else `undefined`. */
function fromBase64Url(text: string, length: number): Buffer | undefined {
  if (text.length !== Math.ceil((length * 4) / 3)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.length === length && bytes.toString("base64url") === text ? bytes : undefined;
}

function invalid(header: string, allowed: string): TunnelError {
  return new TunnelError("HANDSHAKE_INVALID", `header ${header} is not ${allowed}`);
}
