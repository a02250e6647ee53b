import { type InstanceRecord, NO_TOTALS } from "@nodepass/model";
import type { MasterState } from "../../src/master-state.ts";

export function sampleInstance(index: number, tag = "web"): InstanceRecord {
  return {
    id: index.toString(16).padStart(8, "0"),
    alias: `tunnel ${index} é`,
    type: index % 2 === 0 ? "server" : "client",
    url: `server://127.0.0.1:${10_000 + index}/127.0.0.1:80?tls=0`,
    restart: true,
    running: index % 2 === 0,
    meta: { peer: { sid: "s", type: "1", alias: "peer" }, tags: { tag } },
    ...NO_TOTALS,
    tcprx: index * 1_000_000_007,
    tcptx: Number.MAX_SAFE_INTEGER,
    udprx: 0,
    udptx: 255,
    createdAt: 1_795_430_000_000,
  };
}

/** A state whose every instance says `sequence`, so that a mixture of two would show. */
export function sampleState(sequence: number, instances = 3): MasterState {
  return {
    version: 1,
    masterId: "0123456789abcdef",
    alias: String(sequence),
    apiKey: "abcdef0123456789abcdef0123456789",
    instances: Array.from({ length: instances }, (_, index) =>
      sampleInstance(index, String(sequence)),
    ),
  };
}

/** The sequence of a state of {@link sampleState}; throws if it is a mixture. */
export function sequenceOf(state: MasterState): number {
  for (const { id, meta } of state.instances) {
    if (meta.tags.tag !== state.alias) throw new Error(`instance ${id} is of another state`);
  }
  return Number(state.alias);
}
