import type { PartOrder, PartReport } from "@nodepass/fleet-protocol";
import { DEFAULT_POLICY } from "@nodepass/model/fleet";
import { expect, test } from "vitest";
import { createVouchers } from "./vouchers.ts";

const MID = "00000000000000a1";
const [key, next] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const vouchers = createVouchers("f", [key], () => "b1");

const order: PartOrder = {
  ...{ sid: "s", part: 0, rev: 7, epoch: 3, gone: false, keep: false, running: true },
  ...{ url: "server://:1/:2", alias: "", tags: {}, strict: false, ttlMs: 0, adopt: null },
  policy: { failover: "serve", ttl: 20, failback: "healthy" },
};
const vouched = vouchers.order(MID, order);
const report: PartReport = {
  ...{ sid: "s", part: 0, rev: 7, epoch: 3, outcome: "applied", reason: "" },
  ...{ instance: "i", running: true, carried: null },
  policy: vouched.policy,
  proof: vouched.proof,
};

test("what a member was told it can show, also after the data key was changed", () => {
  expect(vouchers.holds(MID, report)).toBe(true);
  expect(createVouchers("f", [next, key], () => "b2").holds(MID, report)).toBe(true);
  // A later revision of the same epoch says no more about who has it.
  expect(vouchers.holds(MID, { ...report, rev: 9 })).toBe(true);
  const plain = vouchers.order(MID, { ...order, policy: DEFAULT_POLICY });
  expect(vouchers.holds(MID, { ...report, policy: undefined, proof: plain.proof })).toBe(true);
});

test.each<[string, string, Partial<PartReport>]>([
  ["of another member", "00000000000000b1", {}],
  ["of another service", MID, { sid: "t" }],
  ["of the other half", MID, { part: 1 }],
  ["of a higher epoch", MID, { epoch: 4 }],
  ["with another policy", MID, { policy: { failover: "serve", ttl: 20, failback: "never" } }],
  ["without its policy", MID, { policy: undefined }],
  ["without a proof", MID, { proof: undefined }],
  ["with a shorter proof", MID, { proof: vouched.proof?.subarray(0, 4) }],
  ["with none", MID, { proof: new Uint8Array(0) }],
])("a part %s is not believed", (_, mid, change) => {
  expect(vouchers.holds(mid, { ...report, ...change })).toBe(false);
});

test("a revision is one of its bucket, and of this fleet", () => {
  const seen = { revision: 7, proof: vouched.seen ?? new Uint8Array() };
  expect(vouchers.hasGiven("b1", seen)).toBe(true);
  expect(vouchers.hasGiven("b1", { revision: 7, proof: vouchers.revision(7) })).toBe(true);
  expect(vouchers.hasGiven("b2", seen)).toBe(false);
  expect(vouchers.hasGiven("b1", { ...seen, revision: 8 })).toBe(false);
  expect(vouchers.hasGiven("b1", { ...seen, proof: new Uint8Array(16) })).toBe(false);
  expect(vouchers.hasGiven("b1", undefined)).toBe(false);
  expect(createVouchers("f", [next], () => "b1").hasGiven("b1", seen)).toBe(false);
  expect(createVouchers("g", [key], () => "b1").hasGiven("b1", seen)).toBe(false);
});
