import { randomBytes } from "node:crypto";
import type { PartOrder, PartReport, Prepared } from "@nodepass/fleet-protocol";

/** A part that a simulated member "runs". */
export interface HeldPart {
  readonly order: PartOrder;
  readonly report: PartReport;
}

/**
 * Section 7, rule 2: an order that is older than what is there changes nothing.
 *
 * @param parts what the member has, by `sid/part`; changed
 * @param failure why it can't run a part
 */
export function applyOrder(
  parts: Map<string, HeldPart>,
  order: PartOrder,
  failure?: (order: PartOrder) => string | undefined,
): { readonly report: PartReport; readonly isTaken: boolean } {
  const key = `${order.sid}/${order.part}`;
  const held = parts.get(key);
  if (held !== undefined && (order.rev < held.order.rev || order.epoch < held.order.epoch)) {
    return { report: held.report, isTaken: false };
  }
  const { sid, part, rev, epoch } = order;
  const reason = order.gone ? undefined : failure?.(order);
  const report: PartReport = {
    sid,
    part,
    rev,
    epoch,
    outcome: order.gone ? "released" : reason === undefined ? "applied" : "failed",
    reason: reason ?? "",
    instance: order.gone ? null : (held?.report.instance ?? randomBytes(4).toString("hex")),
    running: !order.gone && reason === undefined && order.running,
    carried: order.gone ? { tcprx: 1, tcptx: 2, udprx: 3, udptx: 4 } : null,
    policy: order.policy,
    proof: order.proof,
  };
  if (order.gone) parts.delete(key);
  else parts.set(key, { order, report });
  return { report, isTaken: true };
}

let nextPort = 20_000;

/** Fills in `auto` ports, each one once in this process. */
export function prepareSimulated(url: string): Prepared {
  let tunnelPort = 0;
  const filled = url.replace(/:auto\b/g, () => {
    nextPort = nextPort >= 60_000 ? 20_000 : nextPort + 1;
    return `:${nextPort}`;
  });
  const [, port] = /^server:\/\/[^/]*:(\d+)/.exec(filled) ?? [];
  if (port !== undefined) tunnelPort = Number(port);
  return { ok: true, reason: "", status: 200, url: filled, tunnelPort };
}
