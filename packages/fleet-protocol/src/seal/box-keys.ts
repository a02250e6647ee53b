import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { inspect } from "node:util";
import { SealError } from "./seal-error.ts";

/** Length of an X25519 key, public or private, and of what two of them agree on (RFC 7748, 6.1). */
const KEY_BYTES = 32;

// What stands before the 32 bytes of a key in its DER form (RFC 8410, 7 and 4); Node imports raw keys only so.
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

/**
 * A pair of X25519 keys: the fleet's, or a member's. Neither `console.log` nor `JSON.stringify`
 * shows the private half.
 */
export class BoxKeys {
  /** 32 bytes; may be given to anybody. */
  readonly publicKey: Uint8Array;
  readonly #privateKey: Uint8Array;
  readonly #key: KeyObject;

  /**
   * @param privateKey 32 bytes, copied
   * @throws {SealError} `BAD_KEY` if it is not 32 bytes long
   */
  constructor(privateKey: Uint8Array) {
    checkLength(privateKey, "private");
    this.#privateKey = privateKey.slice();
    this.#key = createPrivateKey({
      key: Buffer.concat([PRIVATE_PREFIX, privateKey]),
      format: "der",
      type: "pkcs8",
    });
    const der = createPublicKey(this.#key).export({ format: "der", type: "spki" });
    this.publicKey = new Uint8Array(der.subarray(-KEY_BYTES));
  }

  /** 32 bytes, a copy: for the file (0600) that keeps it. */
  get privateKey(): Uint8Array {
    return this.#privateKey.slice();
  }

  /**
   * The secret that only the two owners can compute (RFC 7748, 6.1).
   *
   * @param peerPublicKey 32 bytes
   * @throws {SealError} `BAD_KEY` if it is not a public key, or one of the few that make the secret zero
   */
  agree(peerPublicKey: Uint8Array): Buffer {
    checkLength(peerPublicKey, "public");
    try {
      const publicKey = createPublicKey({
        key: Buffer.concat([PUBLIC_PREFIX, peerPublicKey]),
        format: "der",
        type: "spki",
      });
      return diffieHellman({ privateKey: this.#key, publicKey });
    } catch (error) {
      throw new SealError("BAD_KEY", "the peer's public key cannot be used", { cause: error });
    }
  }

  toJSON(): object {
    return { fingerprint: fingerprintOf(this.publicKey) };
  }

  [inspect.custom](): string {
    return `BoxKeys { ${fingerprintOf(this.publicKey)} }`;
  }
}

/** New keys, from the system's random numbers. */
export function createBoxKeys(): BoxKeys {
  const { privateKey } = generateKeyPairSync("x25519");
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  return new BoxKeys(new Uint8Array(der.subarray(-KEY_BYTES)));
}

/**
 * What a join token pins: `sha256:` and the SHA-256 of the public key in base64url, 50 characters.
 *
 * @param publicKey 32 bytes
 * @throws {SealError} `BAD_KEY` if it is not 32 bytes long
 */
export function fingerprintOf(publicKey: Uint8Array): string {
  checkLength(publicKey, "public");
  return `sha256:${createHash("sha256").update(publicKey).digest("base64url")}`;
}

function checkLength(key: Uint8Array, which: string): void {
  if (key.byteLength !== KEY_BYTES) {
    const found = `${key.byteLength} bytes`;
    throw new SealError("BAD_KEY", `a ${which} key has ${KEY_BYTES} bytes, not ${found}`);
  }
}
