import { createUser } from "@nats-io/jwt";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type FleetBoxKeys,
  joinProblem,
  openJoinAnswer,
  sealJoinAnswer,
  signJoin,
} from "./join-proof.ts";
import { type JoinAnswer, JoinRequestSchema } from "./messages/join.ts";
import { type BoxKeys, createBoxKeys, fingerprintOf } from "./seal/box-keys.ts";

const NOW = Date.UTC(2026, 10, 26, 12);
const answer: JoinAnswer = {
  fleet: "acme",
  mid: "0123456789abcdef",
  jwt: "header.claims.signature",
  expires: 1_800_000_000,
  servers: ["tls://nats.example:4222"],
  ca: "",
  hubs: [],
};

describe("a join's proof", () => {
  let member: BoxKeys;
  let fleet: BoxKeys;
  let request: ReturnType<typeof signJoin>;

  beforeEach(() => {
    member = createBoxKeys();
    fleet = createBoxKeys();
    request = signJoin({
      token: { id: "t1", secret: "0123456789abcdef" },
      mid: "0123456789abcdef",
      name: "vps-1",
      seed: new TextDecoder().decode(createUser().getSeed()),
      box: member.publicKey,
      now: NOW,
    });
  });

  it("fits its schema and holds about now", () => {
    expect(JoinRequestSchema.parse(request)).toEqual(request);
    expect(joinProblem(request, NOW)).toBeUndefined();
    expect(joinProblem(request, NOW + 299_000)).toBeUndefined();
  });

  it("says how far the clocks are apart", () => {
    expect(joinProblem(request, NOW + 400_000)).toMatch(/clock is 400 s behind the hub's/);
    expect(joinProblem(request, NOW - 400_000)).toMatch(/clock is 400 s ahead of the hub's/);
  });

  it.each([
    ["mid", "fedcba9876543210"],
    ["name", "vps-2"],
    ["box", "A".repeat(43)],
    ["at", Math.floor(NOW / 1000) + 1],
    ["nonce", "0".repeat(16)],
    ["nkey", createUser().getPublicKey()],
    ["nkey", `U${"A".repeat(55)}`],
    ["token", { id: "t2", secret: "0123456789abcdef" }],
    ["token", undefined],
  ])("does not hold with another %s", (field, value) => {
    const changed = { ...request, [field]: value };
    expect(joinProblem(changed, NOW)).toBe("the request is not signed with its NKey");
  });

  it("is answered for this member and this request only", () => {
    const pin = fingerprintOf(fleet.publicKey);
    const sealed = sealJoinAnswer(keysOf(fleet), request, answer);
    const opened = openJoinAnswer(member, request, sealed, pin);
    expect(opened.answer).toEqual({ ...answer, hubKeys: [fleet.publicKey] });
    expect(opened.hubKey).toEqual(fleet.publicKey);
    expect(JSON.stringify(sealed)).not.toContain("acme");
    expect(() => openJoinAnswer(createBoxKeys(), request, sealed, pin)).toThrow(/changed/);
    const other = { nonce: "0".repeat(16) };
    expect(() => openJoinAnswer(member, other, sealed, pin)).toThrow(/changed/);
  });

  it("takes no answer from another fleet's key", () => {
    const pin = fingerprintOf(fleet.publicKey);
    const impostor = createBoxKeys();
    const theirs = sealJoinAnswer(keysOf(impostor), request, answer);
    expect(() => openJoinAnswer(member, request, theirs, pin)).toThrow(/fingerprint/);
    const forged = { ...theirs, hubKey: Buffer.from(fleet.publicKey).toString("base64url") };
    expect(() => openJoinAnswer(member, request, forged, pin)).toThrow(/changed/);
  });
});

function keysOf(boxKeys: BoxKeys): FleetBoxKeys {
  return { boxKeys, allBoxKeys: [boxKeys], oldestBoxKey: boxKeys };
}
