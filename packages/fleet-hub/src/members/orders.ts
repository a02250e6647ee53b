import type { PartOrder, PartReport, ServiceRecord } from "@nodepass/fleet-protocol";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { Stored } from "../store/fleet-store.ts";

/**
 * What a member is to do about one part of a service: run it, or, while a move waits for its word
 * (`from`), give it up.
 *
 * @returns `undefined` if the part is none of its business
 */
export function orderFor(
  mid: string,
  sid: string,
  { value, revision }: Stored<ServiceRecord>,
  part: number,
): PartOrder | undefined {
  const record = value.parts[part];
  if (record === undefined) return undefined;
  const isOwner = record.owner === mid;
  if (!isOwner && !(record.owner === null && record.from === mid)) return undefined;
  const { failover, ttl } = value.policy;
  const gone = !isOwner || value.detached;
  return {
    sid,
    part,
    rev: revision,
    epoch: record.epoch,
    gone,
    keep: value.detached,
    running: record.running,
    url: record.url,
    alias: value.alias,
    tags: value.tags,
    strict: failover === "strict",
    ttlMs: failover === "off" ? 0 : ttl * 1000,
    adopt: gone ? null : record.adopt,
    ...(!gone && { policy: value.policy }),
  };
}

/** All that a member is to run or to give up, as the index has it: the full set of a sync. */
export function ordersFor(
  mid: string,
  index: Pick<FleetIndex, "services" | "ownedBy">,
): readonly PartOrder[] {
  return index.ownedBy(mid).flatMap(({ sid, part }) => {
    const stored = index.services.get(sid);
    const order = stored === undefined ? undefined : orderFor(mid, sid, stored, part);
    return order === undefined ? [] : [order];
  });
}

/**
 * That a part is not its member's any more: its service was removed, or another has it. So it says
 * nothing of what the part is: a member hears this of any part that it claims, and of one that was
 * taken from it after the pair got a new key (section 7, rule 9).
 *
 * @param keep its instance stays there, as a local one
 */
export function goneOrder(
  sid: string,
  before: Stored<ServiceRecord>,
  part: number,
  revision: number,
  epoch: number,
  keep: boolean,
): PartOrder {
  return {
    sid,
    part,
    rev: revision,
    epoch,
    gone: true,
    keep,
    running: false,
    url: "",
    alias: "",
    tags: {},
    strict: before.value.policy.failover === "strict",
    ttlMs: 0,
    adopt: null,
  };
}

/** Whether a member's word says that an order is carried out. */
export function isSettled(order: PartOrder, report: PartReport | undefined): boolean {
  if (report === undefined || report.rev < order.rev || report.epoch < order.epoch) return false;
  return report.outcome === (order.gone ? "released" : "applied");
}

/** Whether a member's word says that it could not carry out an order. */
export function isFailure(order: PartOrder, report: PartReport | undefined): boolean {
  return report?.outcome === "failed" && report.rev >= order.rev;
}
