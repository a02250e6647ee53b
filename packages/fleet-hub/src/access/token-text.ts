import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** `npf_<id>_<secret>`: 8 bytes of id and 32 of secret, in hexadecimal and base64url. */
const TOKEN_TEXT = /^npf_([0-9a-f]{16})_([\w-]{43})$/;

/** A token as it is made: its text is shown once, its hash is stored. */
export interface TokenSecret {
  readonly id: string;
  readonly secret: string;
  /** `npf_<id>_<secret>` */
  readonly token: string;
  /** SHA-256 of the secret, 32 bytes. */
  readonly hash: Uint8Array<ArrayBuffer>;
}

/** A new token, from the system's random numbers. */
export function createTokenSecret(): TokenSecret {
  const id = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  return { id, secret, token: `npf_${id}_${secret}`, hash: hashOf(secret) };
}

/** The two halves of an API token's text; `undefined` if it is none. */
export function readTokenText(
  text: string,
): { readonly id: string; readonly secret: string } | undefined {
  const [, id, secret] = TOKEN_TEXT.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** In constant time. @param hash 32 bytes */
export function isSecretOf(secret: string, hash: Uint8Array): boolean {
  const found = hashOf(secret);
  return hash.byteLength === found.byteLength && timingSafeEqual(found, hash);
}

// 32 random bytes can't be guessed, so a slow hash would only make hubs slow.
function hashOf(secret: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(secret).digest());
}
