import { inspect } from "node:util";
import { createAccount, createOperator, createUser, fromPublic } from "@nats-io/jwt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSigner, isSignedBy } from "./signer.ts";

const seedOf = (pair: { getSeed(): Uint8Array }) => new TextDecoder().decode(pair.getSeed());
const input = new TextEncoder().encode("nonce");

describe("a signer", () => {
  test.each([
    ["operator", createOperator],
    ["account", createAccount],
    ["user", createUser],
  ])("signs for an %s what the library itself would sign", (_, create) => {
    const pair = create();
    const signer = createSigner(seedOf(pair));
    expect(signer.getPublicKey()).toBe(pair.getPublicKey());
    // Ed25519 has one signature of one text by one key (RFC 8032, 5.1.6).
    expect(signer.sign(input)).toEqual(pair.sign(input));
    expect(fromPublic(pair.getPublicKey()).verify(input, signer.sign(input))).toBe(true);
    expect(isSignedBy(pair.getPublicKey(), input, pair.sign(input))).toBe(true);
  });

  test("has the public key that the library's has, whatever the seed", () => {
    for (let n = 0; n < 100; n += 1) {
      const pair = createUser();
      expect(createSigner(seedOf(pair)).getPublicKey()).toBe(pair.getPublicKey());
    }
  });

  test("is shown without its seed by what prints it", () => {
    const seed = seedOf(createUser());
    const signer = createSigner(seed);
    signer.sign(input);
    const shown = inspect(signer, { depth: 9, showHidden: true }) + JSON.stringify(signer);
    expect(shown).not.toContain(seed.slice(2, 12));
  });

  test.each(["", "SU", "SUAAA", createUser().getPublicKey(), `SU${"A".repeat(56)}`])(
    "is not made of %j",
    (text) => {
      expect(() => createSigner(text)).toThrow(expect.objectContaining({ code: "BAD_SECRETS" }));
    },
  );
});

test("nothing else than its own text and signature is signed by a key, whatever comes", () => {
  const pair = createUser();
  const publicKey = pair.getPublicKey();
  const signature = createSigner(seedOf(pair)).sign(input);
  expect(isSignedBy(createUser().getPublicKey(), input, signature)).toBe(false);
  expect(isSignedBy(publicKey, new Uint8Array(5), signature)).toBe(false);
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 80 }), fc.nat(63), (text, bytes, at) => {
      const changed = signature.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(isSignedBy(text, input, signature)).toBe(false);
      expect(isSignedBy(publicKey, input, bytes)).toBe(false);
      expect(isSignedBy(publicKey, input, changed)).toBe(false);
    }),
  );
});
