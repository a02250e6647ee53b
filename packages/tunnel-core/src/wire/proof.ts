import {
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";

/** Bytes of a nonce, one from each end. */
export const NONCE_BYTES = 32;

/** Bytes of a client instance's identity, made when the client starts. */
export const CLIENT_ID_BYTES = 16;

/** Bytes of a session id. */
const SESSION_ID_BYTES = 8;

/** Bytes of a port's salt, and of the key ids made with it. */
export const KEY_ID_BYTES = 16;

/** Bytes of every proof and derived key. */
export const PROOF_BYTES = 32;

const SCRYPT_SALT = "nodepass-v1";

/**
 * 16 MiB and some tens of milliseconds a guess. Not more, since a master may start a thousand
 * tunnels at once; `nodepass keygen` makes keys that need no stretching at all.
 */
const SCRYPT_COST = { N: 16_384, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/**
 * Stretches the tunnel key, so that somebody who saw a handshake, or answered one in the server's
 * place, pays for each guess of a weak key. Slow on purpose: once at start, off the event loop.
 *
 * @param key the tunnel key
 * @returns 32 bytes: scrypt of the key's UTF-8 with salt `nodepass-v1`, N 2^14, r 8, p 1
 * @see docs/protocol.md, "Keys"
 */
export function stretchTunnelKey(key: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(key, SCRYPT_SALT, PROOF_BYTES, SCRYPT_COST, (error, stretched) => {
      if (error) reject(error);
      else resolve(stretched);
    });
  });
}

/**
 * One key per use, from the stretched tunnel key by HKDF-SHA256 with the use as its info. They are
 * key objects, which print none of their bytes.
 */
export class ProofKeys {
  readonly client: KeyObject;
  readonly server: KeyObject;
  readonly session: KeyObject;
  /** Of the id that says which of several tunnels on one port a client means. */
  readonly id: KeyObject;

  /** @param stretched from `stretchTunnelKey` */
  constructor(stretched: Buffer) {
    this.client = derive(stretched, "nodepass/1 client proof");
    this.server = derive(stretched, "nodepass/1 server proof");
    this.session = derive(stretched, "nodepass/1 session");
    this.id = derive(stretched, "nodepass/1 key id");
  }
}

/** What a client's proof says. */
export interface ClientProofInput {
  /** As on the request line, `GET`. */
  readonly method: string;
  /** As on the request line, `/`. */
  readonly path: string;
  /** Value of the request's `Host` header. */
  readonly host: string;
  readonly clientNonce: Uint8Array;
  readonly serverNonce: Uint8Array;
  /** The client instance's identity. */
  readonly client: Uint8Array;
  /** The extensions offered, in the request's order. */
  readonly extensions: readonly string[];
}

/** What a server's proof says. */
export interface ServerProofInput {
  readonly clientNonce: Uint8Array;
  readonly serverNonce: Uint8Array;
  /** Every byte of the answer's body. */
  readonly body: string | Uint8Array;
}

/** What a session's key is made from. */
export interface SessionKeyInput {
  readonly clientNonce: Uint8Array;
  readonly serverNonce: Uint8Array;
  /** The eight bytes of the session id. */
  readonly sessionId: Uint8Array;
}

/** A fresh random nonce. */
export function newNonce(): Buffer {
  return randomBytes(NONCE_BYTES);
}

/** A fresh identity for a client instance that starts. */
export function newClientId(): Buffer {
  return randomBytes(CLIENT_ID_BYTES);
}

/** A fresh session id. */
export function newSessionId(): Buffer {
  return randomBytes(SESSION_ID_BYTES);
}

/**
 * The client's proof: HMAC-SHA256 over all that its request says.
 *
 * @see docs/protocol.md, "Proofs"
 */
export function clientProof(keys: ProofKeys, input: ClientProofInput): Buffer {
  return hmac(keys.client, clientProofMessage(input));
}

function clientProofMessage(input: ClientProofInput): Buffer {
  return withLengths([
    input.method,
    input.path,
    input.host,
    input.clientNonce,
    input.serverNonce,
    input.client,
    input.extensions.join(","),
  ]);
}

/**
 * Whose proof it is. All are tried, whichever it is: the time says nothing.
 *
 * @returns the index of the last one whose proof it is, -1 if it is nobody's
 */
export function findClientProof(
  candidates: readonly Pick<ProofKeys, "client">[],
  input: ClientProofInput,
  proof: Uint8Array,
): number {
  const message = clientProofMessage(input);
  let found = -1;
  for (const [index, { client }] of candidates.entries()) {
    if (verifyProof(hmac(client, message), proof)) found = index;
  }
  return found;
}

/** The server's proof: HMAC-SHA256 over both nonces and the whole body. */
export function serverProof(keys: ProofKeys, input: ServerProofInput): Buffer {
  return authenticate(keys.server, [input.clientNonce, input.serverNonce, input.body]);
}

/**
 * Which of the tunnels on one port a client means, for who knows their keys: the first bytes of
 * HMAC-SHA256 over the port's salt. It says nothing about the key, and nothing to another port.
 *
 * @param salt 16 bytes, from the challenge
 * @returns 16 bytes
 * @see docs/protocol.md, "Several tunnels on one port"
 */
export function keyId(keys: Pick<ProofKeys, "id">, salt: Uint8Array): Buffer {
  return createHmac("sha256", keys.id).update(salt).digest().subarray(0, KEY_ID_BYTES);
}

/** The key of one session, which the MACs of its pool hellos are made with. */
export function sessionKey(keys: ProofKeys, input: SessionKeyInput): Buffer {
  return authenticate(keys.session, [input.clientNonce, input.serverNonce, input.sessionId]);
}

/**
 * The key of a proved session's control connection, in place of the tunnel key.
 *
 * The XOR of known text (`{"action":"ping"}`) prints its key to whoever sees the line. With the
 * tunnel key that would be the key of all proofs; this one dies with the session.
 *
 * @param session from `sessionKey`
 * @returns 64 lower-case hex digits, for `createSignalEncoder` and `SignalDecoder`
 * @see docs/protocol.md, "Control connection of a proved session"
 */
export function signalKey(session: Buffer): string {
  return createHmac("sha256", session).update("nodepass/1 signals").digest("hex");
}

/** Compares two proofs in constant time. */
export function verifyProof(expected: Uint8Array, actual: Uint8Array): boolean {
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function derive(stretched: Buffer, use: string): KeyObject {
  const key = hkdfSync("sha256", stretched, new Uint8Array(0), use, PROOF_BYTES);
  return createSecretKey(Buffer.from(key));
}

function authenticate(key: KeyObject, fields: readonly (string | Uint8Array)[]): Buffer {
  return hmac(key, withLengths(fields));
}

function hmac(key: KeyObject, message: Uint8Array): Buffer {
  return createHmac("sha256", key).update(message).digest();
}

/** Fields, each with its length before it (u32, big-endian): no two lists alike. */
function withLengths(fields: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const field of fields) {
    const bytes = typeof field === "string" ? Buffer.from(field, "utf8") : field;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length, 0);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}
