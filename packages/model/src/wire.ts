import { countersOf } from "./counters.ts";
import type { Instance } from "./instance.ts";

/** Id of the entry that stands for the API key. */
export const KEY_INSTANCE_ID = "********";

/** An instance as it is written: every counter an integer of 0 or more. */
export type WireInstance = Instance;

/**
 * The nearest integer that JSON readers of every language take as one: a single fraction makes the
 * dashboard drop a whole answer (its client decodes numbers into 64-bit integers).
 */
export function wireInteger(value: number): number {
  if (!Number.isFinite(value)) return 0;
  const rounded = Math.round(value);
  const bounded = Math.min(Math.max(rounded, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  // `-0` would be written as 0, but is not equal to it for callers that compare.
  return bounded === 0 ? 0 : bounded;
}

const wireCount = (value: number) => Math.max(0, wireInteger(value));

/** Exactly the documented fields, numbers as integers. */
export function toWireInstance(instance: Instance): WireInstance {
  const { peer, tags } = instance.meta;
  return {
    id: instance.id,
    alias: instance.alias,
    type: instance.type,
    status: instance.status,
    url: instance.url,
    config: instance.config,
    restart: instance.restart,
    meta: { peer: { sid: peer.sid, type: peer.type, alias: peer.alias }, tags: { ...tags } },
    mode: wireCount(instance.mode),
    ...countersOf((name) => wireCount(instance[name])),
    link: instance.link,
    reason: instance.reason,
    since: instance.since,
    nextRetry: instance.nextRetry,
    restingTargets: instance.restingTargets.map(({ target, protocol, reason }) => ({
      target,
      protocol,
      reason,
    })),
    ...(instance.peers !== undefined && {
      peers: instance.peers.map(({ number, address, connected, reason, ...counters }) => ({
        number,
        address,
        connected,
        reason,
        users: wireCount(counters.users),
        tcps: wireCount(counters.tcps),
        udps: wireCount(counters.udps),
        tcprx: wireCount(counters.tcprx),
        tcptx: wireCount(counters.tcptx),
        udprx: wireCount(counters.udprx),
        udptx: wireCount(counters.udptx),
        pool: wireCount(counters.pool),
        ping: wireCount(counters.ping),
      })),
    }),
    ...(instance.quota !== undefined && {
      quota: {
        limit: wireCount(instance.quota.limit),
        used: wireCount(instance.quota.used),
        resets: instance.quota.resets,
      },
    }),
    ...(instance.origin !== undefined && {
      origin: { file: instance.origin.file, name: instance.origin.name },
    }),
  };
}
