import type { PartOrder, PartReport, Seen } from "@nodepass/fleet-protocol";
import { DEFAULT_POLICY, type ServicePolicy } from "@nodepass/model/fleet";
import { dataKeyMacs } from "../data-key-macs.ts";

/** Of a MAC, bytes: nobody can try more than a few thousand a second. */
const PROOF_BYTES = 16;

/**
 * What members are given to keep, so that a hub that knows less than they do can tell what a hub has
 * told them from what they made up: the store may be lost, or older than it was.
 */
export interface Vouchers {
  /** The order, with what its member can show of it later. */
  order(mid: string, order: PartOrder): PartOrder;
  /** That this store has given a revision. */
  revision(revision: number): Uint8Array;
  /** Whether a hub has told that this store, or another, has given a revision. */
  hasGiven(bucket: string, seen: Seen | undefined): boolean;
  /** Whether a hub has told this member that it has the part, at this epoch and with this policy. */
  holds(mid: string, report: PartReport): boolean;
}

/** @param bucket identity of the store of now */
export function createVouchers(
  fleet: string,
  dataKeys: readonly Uint8Array[],
  bucket: () => string,
): Vouchers {
  const macs = dataKeyMacs(fleet, dataKeys, "nodepass fleet voucher 1");
  const proofOf = (...fields: readonly (string | number)[]) =>
    new Uint8Array(macs.sign(bytesOf(fields)).subarray(0, PROOF_BYTES));
  const isProof = (proof: Uint8Array | undefined, ...fields: readonly (string | number)[]) =>
    proof?.byteLength === PROOF_BYTES && macs.verify(bytesOf(fields), proof);
  const part = (
    mid: string,
    { sid, part: at, epoch }: Pick<PartReport, "sid" | "part" | "epoch">,
    { failover, ttl, failback }: ServicePolicy,
  ) => ["part", mid, sid, at, epoch, failover, ttl, failback] as const;

  return {
    order: (mid, order) => ({
      ...order,
      seen: proofOf("revision", bucket(), order.rev),
      ...(order.policy !== undefined && { proof: proofOf(...part(mid, order, order.policy)) }),
    }),
    revision: (revision) => proofOf("revision", bucket(), revision),
    hasGiven: (of, seen) =>
      seen !== undefined && isProof(seen.proof, "revision", of, seen.revision),
    holds: (mid, report) =>
      isProof(report.proof, ...part(mid, report, report.policy ?? DEFAULT_POLICY)),
  };
}

function bytesOf(fields: readonly (string | number)[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(fields));
}
