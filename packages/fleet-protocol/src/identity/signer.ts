import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { fromPublic, fromSeed, type KeyPair } from "@nats-io/jwt";
import { FleetSetupError } from "../setup-error.ts";

/** What signs JWTs; shows no secret when it is printed. */
export type Signer = KeyPair;

// What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410, 7 and 4).
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
// Before the key: what kind it is. Behind it: a checksum, which the library has looked at.
const SEED_PREFIX_BYTES = 2;
const PUBLIC_PREFIX_BYTES = 1;
const KEY_BYTES = 32;

/**
 * Signs as an NKey, with the system's Ed25519. The library's own is in JavaScript: a member's JWT took
 * 17 ms of a core, so 500 that join at once waited 8 s for their hub.
 *
 * @param seed `SO…`, `SA…` or `SU…`
 * @throws {FleetSetupError} `BAD_SECRETS`
 */
export function createSigner(seed: string): Signer {
  const pair = pairOf(seed);
  const publicKey = pair.getPublicKey();
  const der = Buffer.concat([PRIVATE_PREFIX, keyIn(seed, SEED_PREFIX_BYTES)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  let privateKey: Uint8Array | undefined;
  return {
    getPublicKey: () => publicKey,
    // Asked for by the library before each signature, to see that there is one.
    getPrivateKey: () => {
      privateKey ??= pair.getPrivateKey();
      return privateKey;
    },
    getSeed: () => pair.getSeed(),
    sign: (input) => new Uint8Array(sign(null, input, key)),
    verify: (input, signature) => pair.verify(input, signature),
    clear: () => pair.clear(),
    seal: (input, recipient, nonce) => pair.seal(input, recipient, nonce),
    open: (message, sender) => pair.open(message, sender),
  };
}

/**
 * Whether the owner of an NKey has signed it. The library's own way takes 8 ms of a core.
 *
 * @param publicKey from outside: what is no key has signed nothing
 * @param signature from outside
 */
export function isSignedBy(publicKey: string, input: Uint8Array, signature: Uint8Array): boolean {
  try {
    fromPublic(publicKey);
    const der = Buffer.concat([PUBLIC_PREFIX, keyIn(publicKey, PUBLIC_PREFIX_BYTES)]);
    return verify(
      null,
      input,
      createPublicKey({ key: der, format: "der", type: "spki" }),
      signature,
    );
  } catch {
    // No key at all: nobody has signed.
    return false;
  }
}

function pairOf(seed: string): KeyPair {
  try {
    return fromSeed(new TextEncoder().encode(seed));
  } catch (error) {
    throw new FleetSetupError("BAD_SECRETS", "a seed cannot be read", { cause: error });
  }
}

function keyIn(text: string, at: number): Buffer {
  return base32(text).subarray(at, at + KEY_BYTES);
}

/** RFC 4648, 6, without padding; only of texts that the library could read. */
function base32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 5) | BASE32.indexOf(character)) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return Buffer.from(bytes);
}
