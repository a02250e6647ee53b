import type { MemberRecord } from "@nodepass/fleet-protocol";
import { parseSelector } from "@nodepass/model/fleet";
import { expect, test } from "vitest";
import { demandMember } from "./demand-member.ts";

const member = (region: string): MemberRecord => ({
  v: 1,
  name: "edge",
  labels: { region },
  address: "",
  nkey: "",
  box: new Uint8Array(),
  draining: false,
  joined: 0,
  evicted: false,
});
const index = {
  findMembers: (name: string) =>
    name === "edge"
      ? [
          { mid: "a1", record: member("eu") },
          { mid: "b2", record: member("us") },
        ]
      : [],
};

test("says which masters a name may mean, of those that may be seen", () => {
  expect(() => demandMember(index, "edge", [])).toThrow('"edge" may be 2 masters: a1, b2');
  expect(demandMember(index, "edge", parseSelector("region=us")).mid).toBe("b2");
  for (const [name, selector] of [
    ["none", ""],
    ["edge", "region=asia"],
  ] as const) {
    expect(() => demandMember(index, name, parseSelector(selector))).toThrow(`no master "${name}"`);
  }
});
