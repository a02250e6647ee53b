import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { clientProof, keyId, ProofKeys } from "../wire/proof.ts";
import { type KeyHolder, KeyRing } from "./key-ring.ts";

function holder(token?: string): KeyHolder {
  return {
    context: {} as KeyHolder["context"],
    keys: new ProofKeys(randomBytes(32)),
    token,
    admit: () => Promise.reject(new Error("not asked")),
  };
}

const said = {
  method: "GET",
  path: "/",
  host: "none",
  clientNonce: randomBytes(32),
  serverNonce: randomBytes(32),
  client: randomBytes(16),
  extensions: ["streams"],
};

describe("whose a proof is", () => {
  const ring = new KeyRing();
  const holders = Array.from({ length: 20 }, () => holder());
  for (const each of holders) ring.add(each);
  const salt = ring.salt ?? Buffer.alloc(0);
  const nobody = new ProofKeys(randomBytes(32));

  test.each([0, 7, 19])("number %i, by its id and without one", (which) => {
    const one = holders[which] ?? expect.fail();
    const proof = clientProof(one.keys, said);
    expect(ring.byProof(said, proof, keyId(one.keys, salt))).toBe(one);
    expect(ring.byProof(said, proof, undefined)).toBe(one);
  });

  test("nobody's, whatever id it comes with", () => {
    const proof = clientProof(nobody, said);
    for (const id of [undefined, keyId(nobody, salt), keyId(holders[3]?.keys ?? nobody, salt)]) {
      expect(ring.byProof(said, proof, id)).toBeUndefined();
    }
  });

  test("not of the one whose id it is not", () => {
    const [one, other] = holders;
    const proof = clientProof(one?.keys ?? nobody, said);
    expect(ring.byProof(said, proof, keyId(other?.keys ?? nobody, salt))).toBeUndefined();
  });
});

test("one alone sends no salt, and needs no id", () => {
  const ring = new KeyRing();
  const [one, other] = [holder(), holder()];
  expect(ring.byProof(said, randomBytes(32), undefined)).toBeUndefined();
  ring.add(one);
  expect(ring.salt).toBeUndefined();
  // An id for another port means nothing.
  expect(ring.byProof(said, clientProof(one.keys, said), randomBytes(16))).toBe(one);
  ring.add(other);
  expect(ring.salt).toHaveLength(16);
  // Another port's salt, so another id.
  expect(new KeyRing().salt).toBeUndefined();
});

test("a successor goes before its predecessor, and stands in its place", () => {
  const ring = new KeyRing();
  const [first, second] = [holder("token"), holder("other")];
  ring.add(first);
  ring.add(second);
  const successor = { ...first };
  expect(ring.withKeyOf(successor)).toBe(first);
  ring.add(successor, first);
  expect([ring.withKeyOf(first), ring.byToken("token"), ring.oldest]).toEqual([
    successor,
    successor,
    successor,
  ]);
  expect(ring.byProof(said, clientProof(first.keys, said), undefined)).toBeDefined();
  ring.delete(first);
  ring.delete(successor);
  expect([ring.size, ring.byToken("token"), ring.oldest]).toEqual([1, undefined, second]);
});

test("tokens are found whole or not at all", () => {
  const ring = new KeyRing();
  expect(ring.takesTokens).toBe(false);
  const [one, other] = [holder("a".repeat(64)), holder("b".repeat(64))];
  ring.add(one);
  ring.add(other);
  ring.add(holder());
  expect(ring.takesTokens).toBe(true);
  expect(ring.byToken("b".repeat(64))).toBe(other);
  for (const wrong of ["", "b".repeat(63), "c".repeat(64)]) {
    expect(ring.byToken(wrong)).toBeUndefined();
  }
});
