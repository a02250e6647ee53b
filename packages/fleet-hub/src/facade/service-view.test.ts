import type { ServiceRecord } from "@nodepass/fleet-protocol";
import { expect, test } from "vitest";
import type { Presence } from "../members/presence.ts";
import { serviceView } from "./service-view.ts";

const PART = { from: null, to: null, epoch: 1, running: true, sel: "", home: null, adopt: null };
const presence: Pick<Presence, "facts" | "report"> = {
  facts: () => {
    throw new Error("nobody has the part");
  },
  report: () => undefined,
};

const record = (failover: "off" | "strict", from: string | null): ServiceRecord => ({
  v: 1,
  alias: "web",
  tags: {},
  policy: { failover, ttl: 15, failback: "never" },
  by: "t1",
  at: 0,
  detached: false,
  parts: [{ ...PART, role: "server", owner: null, from, url: "server://:1/127.0.0.1:2" }],
});

test.each([
  ["off", "its old master has not answered yet; it goes on when it does, or after 15 s of silence"],
  [
    "strict",
    "its old master has not answered yet; it goes on when it does, or when its lease has ended",
  ],
] as const)("a part of a move that waits says for what (%s)", (failover, reason) => {
  const { parts } = serviceView(
    "s",
    { value: record(failover, "m0"), revision: 1 },
    presence,
    false,
  );
  expect(parts).toMatchObject([{ state: "pending", reason }]);
});

test("a part that nobody has waits for nobody", () => {
  const { parts } = serviceView("s", { value: record("off", null), revision: 1 }, presence, false);
  expect(parts).toMatchObject([{ state: "released", reason: "" }]);
});

test("a part of a lost master says why nobody takes it over", () => {
  const lost = { ...presence, facts: () => ({ status: "lost" }) as ReturnType<Presence["facts"]> };
  const { parts } = record("strict", null);
  const held = {
    ...record("strict", null),
    parts: parts.map((part) => ({ ...part, owner: "m0" })),
  };
  const stuck = (sid: string, role: string, owner: string) => `${sid} ${role} ${owner}: nobody`;
  const view = serviceView("s", { value: held, revision: 1 }, lost, false, stuck);
  expect(view.parts).toMatchObject([{ state: "unreachable", reason: "s server m0: nobody" }]);
});
