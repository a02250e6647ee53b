import type { PartReport, ServiceRecord } from "@nodepass/fleet-protocol";
import { expect, test } from "vitest";
import { SYNCED } from "../../test/support/member-facts.ts";
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

test("a client that its server keeps from running waits, and has not failed", () => {
  const part = { ...PART, owner: "m0", url: "server://:1/127.0.0.1:2" };
  const said = {
    mid: "m0",
    sid: "s",
    rev: 1,
    epoch: 1,
    reason: "",
    instance: "a",
    running: true,
    carried: null,
  };
  const viewOf = (running: boolean, server: Partial<PartReport>, status = "online") =>
    serviceView(
      "s",
      {
        value: {
          ...record("off", null),
          parts: [
            { ...part, role: "server", running },
            { ...part, role: "client", owner: "m1", url: "client://h:1/127.0.0.1:2" },
          ],
        },
        revision: 1,
      },
      {
        facts: (mid) => ({ ...SYNCED, ...(mid === "m0" && { status: status as "online" }) }),
        report: (_, at) =>
          at === 0
            ? { ...said, part: 0, outcome: "applied", ...server }
            : { ...said, part: 1, outcome: "failed", reason: "connection refused" },
      },
      false,
    ).parts[1];
  const waits = (server: string) => ({
    state: "pending",
    reason: `waits for its server, ${server} (connection refused)`,
  });
  expect(viewOf(true, {})).toMatchObject({ state: "failed", reason: "connection refused" });
  expect(viewOf(false, { running: false })).toMatchObject(waits("which is stopped"));
  expect(viewOf(true, { running: false })).toMatchObject(waits("which does not run yet"));
  expect(viewOf(true, {}, "lost")).toMatchObject(waits("whose master is lost"));
});

test("a master that its hub has not heard of yet is not called late", () => {
  const value = { ...record("off", null) };
  value.parts = [{ ...PART, role: "server" as const, owner: "m0", url: "server://:1/127.0.0.1:2" }];
  const late = { ...presence, facts: () => ({ ...SYNCED, status: "late" as const }) };
  const { parts } = serviceView("s", { value, revision: 1 }, late, false);
  expect(parts).toMatchObject([
    { state: "unreachable", reason: "its master has not been heard of yet" },
  ]);
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
