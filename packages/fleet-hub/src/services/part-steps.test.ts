import type { PartRecord, PartReport, ServiceRecord } from "@nodepass/fleet-protocol";
import { describe, expect, it } from "vitest";
import { nextStep, type StepFacts } from "./part-steps.ts";
import { withPart } from "./service-writer.ts";

const part = (more: Partial<PartRecord> = {}): PartRecord => ({
  role: "server",
  owner: "A",
  from: null,
  to: null,
  epoch: 4,
  running: true,
  url: "server://:1/:2",
  sel: "",
  home: null,
  adopt: null,
  ...more,
});

const service = (
  failover: ServiceRecord["policy"]["failover"],
  ...parts: PartRecord[]
): ServiceRecord => ({
  v: 1,
  alias: "",
  tags: {},
  policy: { failover, ttl: 15, failback: "never" },
  by: "",
  at: 0,
  detached: false,
  parts,
});

const said = (outcome: PartReport["outcome"], epoch: number): PartReport => ({
  sid: "s",
  part: 0,
  rev: 1,
  epoch,
  outcome,
  reason: "",
  instance: null,
  running: false,
  carried: null,
});

/** Nothing is known and nobody is silent, unless said. */
const facts = (
  reports: Record<string, PartReport> = {},
  more: Partial<StepFacts> = {},
): StepFacts => ({
  report: (mid) => reports[mid],
  hasFailed: (mid) => reports[mid]?.outcome === "failed",
  isSilent: () => false,
  isThere: () => true,
  isLapsed: () => false,
  isLeased: () => false,
  isForgettable: () => false,
  handOver: (record, at) => withPart(record, at, { epoch: (record.parts[at]?.epoch ?? 0) + 1 }),
  ...more,
});

const moving = part({ owner: null, from: "A", to: "B" });
const onTrial = part({ owner: "B", from: "A", to: "B", epoch: 5 });
const takenOver = part({ owner: "B", from: "A", epoch: 5 });

describe("the steps of a part", () => {
  it("has none when it is settled", () => {
    expect(nextStep(service("off", part()), facts())).toBeUndefined();
  });

  it("waits for the old owner's word, which must be of this epoch", () => {
    expect(nextStep(service("off", moving), facts())).toBeUndefined();
    expect(nextStep(service("off", moving), facts({ A: said("released", 3) }))).toBeUndefined();
    expect(nextStep(service("off", moving), facts({ A: said("released", 4) }))).toMatchObject({
      what: "handed-over",
      record: { parts: [{ owner: "B", from: "A", to: "B", epoch: 5 }] },
    });
  });

  const yes = () => true;
  it.each<[ServiceRecord["policy"]["failover"], Partial<StepFacts>, boolean]>([
    ["off", { isSilent: yes }, true],
    ["serve", { isSilent: yes }, true],
    ["strict", { isSilent: yes }, false],
    ["strict", { isLapsed: yes }, true],
    ["serve", { isLapsed: yes }, false],
  ])("with %s and a silent owner: %o", (failover, more, goesOn) => {
    const step = nextStep(service(failover, moving), facts({}, more));
    expect(step?.what).toBe(goesOn ? "handed-over" : undefined);
  });

  it("is settled when the new owner runs it", () => {
    expect(nextStep(service("off", onTrial), facts({ B: said("applied", 5) }))).toMatchObject({
      what: "settled",
      record: { parts: [{ owner: "B", from: null, to: null, epoch: 5 }] },
    });
    expect(nextStep(service("off", onTrial), facts({ B: said("applied", 4) }))).toBeUndefined();
  });

  it("of a strict part remembers who had it until that one is surely over", () => {
    const reports = { B: said("applied", 5) };
    const record = service("strict", takenOver);
    expect(nextStep(record, facts(reports))).toBeUndefined();
    expect(nextStep(record, facts(reports, { isLapsed: () => true }))).toBeUndefined();
    expect(nextStep(record, facts({ ...reports, A: said("released", 3) }))).toBeUndefined();
    for (const known of [
      facts({ ...reports, A: said("released", 4) }),
      facts(reports, { isForgettable: () => true }),
    ]) {
      expect(nextStep(record, known)).toMatchObject({ what: "settled" });
    }
  });

  it.each([
    ["says that it can't", facts({ B: said("failed", 5) })],
    ["is silent", facts({}, { isSilent: (mid) => mid === "B" })],
  ])("goes back when the new owner %s", (_, known) => {
    const step = nextStep(service("serve", onTrial), known);
    expect(step).toMatchObject({
      what: "given-back",
      record: { parts: [{ owner: "A", from: "B", to: null, epoch: 6 }] },
    });
    // And not to and fro: nobody is left then.
    const back = step?.record ?? service("serve");
    const failed = facts({ A: said("failed", 6), B: said("failed", 5) });
    expect(nextStep(back, failed)).toBeUndefined();
  });

  it("does not go back to who is not there, nor what was taken over", () => {
    const failed = { B: said("failed", 5) };
    const away = facts(failed, { isThere: () => false });
    expect(nextStep(service("off", onTrial), away)).toBeUndefined();
    expect(nextStep(service("serve", takenOver), facts(failed))).toBeUndefined();
  });

  it("that is strict from now on is settled by a lease, not by its owner's word alone", () => {
    const record = service("strict", part({ from: "A" }));
    const reports = { A: said("applied", 4) };
    expect(nextStep(record, facts(reports))).toBeUndefined();
    expect(nextStep(record, facts(reports, { isLeased: () => true }))).toMatchObject({
      what: "settled",
      record: { parts: [{ owner: "A", from: null }] },
    });
  });

  it("is nobody's when it has only to be given up", () => {
    const leaving = part({ owner: null, from: "A" });
    expect(nextStep(service("strict", leaving), facts({ A: said("released", 4) }))).toMatchObject({
      what: "given-up",
      record: { parts: [{ owner: null, from: null, epoch: 4 }] },
    });
    const lapsed = facts({}, { isLapsed: () => true });
    expect(nextStep(service("strict", leaving), lapsed)).toBeUndefined();
  });

  it("takes the halves of a pair one after the other", () => {
    const pair = service("off", part({ to: "A" }), part({ role: "client", owner: "B", to: "B" }));
    expect(nextStep(pair, facts({ B: said("applied", 4) }))).toMatchObject({
      part: 1,
      record: { parts: [{ to: "A" }, { to: null }] },
    });
  });
});
