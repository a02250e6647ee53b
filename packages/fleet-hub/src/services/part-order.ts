import type { PartOrder, ServiceRecord } from "@nodepass/fleet-protocol";
import type { Stored } from "../store/fleet-store.ts";

/**
 * What a member is told of one part of a service: to run it as the record says, or that it is its no
 * more.
 */
export function orderFor(
  mid: string,
  sid: string,
  part: number,
  { value: record, revision }: Stored<ServiceRecord>,
): PartOrder | undefined {
  const wanted = record.parts[part];
  if (wanted === undefined) return undefined;
  if (wanted.owner !== mid || record.detached) {
    return { ...goneOrder(sid, part, revision, wanted.epoch), keep: record.detached };
  }
  const { failover, ttl } = record.policy;
  return {
    sid,
    part,
    rev: revision,
    epoch: wanted.epoch,
    gone: false,
    keep: false,
    running: wanted.running,
    url: wanted.url,
    alias: record.alias,
    tags: record.tags,
    strict: failover === "strict",
    ttlMs: failover === "off" ? 0 : ttl * 1000,
    adopt: wanted.adopt,
  };
}

/** The order to give a part up. @param revision of the record, or of its removal */
export function goneOrder(sid: string, part: number, revision: number, epoch: number): PartOrder {
  return {
    sid,
    part,
    rev: revision,
    epoch,
    gone: true,
    keep: false,
    running: false,
    url: "",
    alias: "",
    tags: {},
    strict: false,
    ttlMs: 0,
    adopt: null,
  };
}
