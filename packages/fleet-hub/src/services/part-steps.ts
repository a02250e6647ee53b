import type { PartRecord, PartReport, ServiceRecord } from "@nodepass/fleet-protocol";
import { hasMade } from "./failures.ts";
import { withPart } from "./service-writer.ts";

/** What is known about members and leases when a part's next step is decided. */
export interface StepFacts {
  /** What a member said last of this part. */
  report(mid: string, part: number): PartReport | undefined;
  /** Whether a member can't run this part, at its present epoch. */
  hasFailed(mid: string, part: number): boolean;
  /** Whether nothing was heard of a member for the service's TTL and a second. */
  isSilent(mid: string): boolean;
  /** Whether a member is online, so that it may be given something. */
  isThere(mid: string): boolean;
  /**
   * Whether no lease of a strict part that `mid` may hold is alive, nor can be: only a hub that has led
   * long enough knows. Section 7, rule 5.
   */
  isLapsed(mid: string, part: number): boolean;
  /** Whether this hub, leading, has given a member a lease of this part at its present epoch. */
  isLeased(mid: string, part: number): boolean;
  /**
   * Whether this long after the take-over no leader can have given the one before a lease any more, even
   * if its index lagged: only then may the record forget who had the part.
   */
  isForgettable(mid: string, part: number): boolean;
  /** The record as it is when a part gets another owner: a pair's new key, its client's new address. */
  handOver(record: ServiceRecord, part: number, to: string): ServiceRecord;
}

/** What comes next for a record; `undefined`: nothing, or not yet. */
export interface Step {
  readonly record: ServiceRecord;
  /** For log lines and the audit stream. */
  readonly what: "handed-over" | "given-up" | "settled" | "given-back";
  readonly part: number;
}

/** Whether a part is on its way from one state to another; see `PartRecordSchema`. */
export function isUnsettled({ from, to }: PartRecord): boolean {
  return from !== null || to !== null;
}

/** Whether a member has said, after it owned the part last, that it runs it no more. */
export function hasReleased(report: PartReport | undefined, { owner, epoch }: PartRecord): boolean {
  if (report?.outcome !== "released") return false;
  // The epoch counts up by one when the next owner is written; words from before it owned are lower.
  return report.epoch >= (owner === null ? epoch : epoch - 1);
}

/** Whether a member has said, since it was told this record or a later one, that it runs the part no more. */
export function hasLetGo(
  report: PartReport | undefined,
  { epoch }: Pick<PartRecord, "epoch">,
): boolean {
  return report?.outcome === "released" && report.epoch >= epoch;
}

/**
 * The next step of a move, a take-over or a new pair; section 6, "Move". Pure, so that any hub may take
 * it: each is one CAS, and who comes too late finds another revision.
 */
export function nextStep(record: ServiceRecord, facts: StepFacts): Step | undefined {
  for (const [at, part] of record.parts.entries()) {
    if (!isUnsettled(part)) continue;
    const step =
      part.owner === null
        ? afterGivingUp(record, at, part, facts)
        : onTrial(record, at, part, facts);
    if (step !== undefined) return step;
  }
  return undefined;
}

const isStrict = (record: ServiceRecord) => record.policy.failover === "strict";

/** Steps 3 and 4: the old owner has stopped, said so or not. */
function afterGivingUp(
  record: ServiceRecord,
  at: number,
  part: PartRecord,
  facts: StepFacts,
): Step | undefined {
  const { from, to } = part;
  const released = from === null || hasReleased(facts.report(from, at), part);
  const over = released || (isStrict(record) ? facts.isLapsed(from, at) : facts.isSilent(from));
  if (!over) return undefined;
  if (to === null) {
    const known = released || !isStrict(record) || facts.isForgettable(from, at);
    if (!known) return undefined;
    return { record: withPart(record, at, { from: null }), what: "given-up", part: at };
  }
  const handed = facts.handOver(record, at, to);
  return { record: withPart(handed, at, { owner: to, from, to }), what: "handed-over", part: at };
}

/** Step 5: the new owner runs it, or can't. */
function onTrial(
  record: ServiceRecord,
  at: number,
  part: PartRecord,
  facts: StepFacts,
): Step | undefined {
  const { owner, from, to } = part;
  if (owner === null) return undefined;
  // A lease of this epoch shows that it has heard, and bounds what it does from then on; what it says
  // alone does not: it may still serve for as long as it was told that it may.
  if (from === owner) {
    if (isStrict(record) && !facts.isLeased(owner, at)) return undefined;
    return { record: withPart(record, at, { from: null, to: null }), what: "settled", part: at };
  }
  if (hasMade(facts.report(owner, at), part)) {
    const gone =
      from === null ||
      !isStrict(record) ||
      hasReleased(facts.report(from, at), part) ||
      facts.isForgettable(from, at);
    if (!gone) return undefined;
    return { record: withPart(record, at, { from: null, to: null }), what: "settled", part: at };
  }
  const failed = facts.hasFailed(owner, at) || facts.isSilent(owner);
  if (!failed || from === null || to !== owner || !facts.isThere(from)) return undefined;
  const back = facts.handOver(record, at, from);
  // Once only: nobody is left who could take it then.
  return {
    record: withPart(back, at, { owner: from, from: owner, to: null, adopt: null }),
    what: "given-back",
    part: at,
  };
}
