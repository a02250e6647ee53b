import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { fromPublic, fromSeed, type KeyPair } from "@nats-io/jwt";
import { FleetSetupError } from "../setup-error.ts";
import { publicKeyText, readPublicKey, readSeed } from "./nkey-text.ts";

/** What signs JWTs; shows no secret when it is printed. */
export type Signer = KeyPair;

// What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410, 7 and 4).
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/**
 * Signs as an NKey, with the system's Ed25519. The library's own is in JavaScript: a member's JWT took
 * 17 ms of a core, so 500 that join at once waited 8 s for their hub; its public half of a seed, asked for
 * three times by a master that joins, 6 ms.
 *
 * @param seed `SO…`, `SA…` or `SU…`
 * @throws {FleetSetupError} `BAD_SECRETS`
 */
export function createSigner(seed: string): Signer {
  const pair = pairOf(seed);
  const { key: secret, kind } = readSeed(seed);
  const der = Buffer.concat([PRIVATE_PREFIX, secret]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const publicKey = publicKeyText(kind, spki.subarray(PUBLIC_PREFIX.byteLength));
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
    const der = Buffer.concat([PUBLIC_PREFIX, readPublicKey(publicKey)]);
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
