import type { MemberRecord } from "@nodepass/fleet-protocol";
import type { FleetMaster } from "@nodepass/model/fleet";
import type { Presence } from "../members/presence.ts";
import type { FleetIndex } from "../store/fleet-index.ts";

/** A member as readers see it: its record, and what is known of it at this moment. */
export function masterView(
  mid: string,
  record: MemberRecord,
  presence: Pick<Presence, "facts">,
  index: Pick<FleetIndex, "members" | "ownedBy">,
): FleetMaster {
  const { status, heardAtWall, heartbeat, version, allow, duplicate } = presence.facts(mid);
  const [running, stopped, error] = heartbeat?.n ?? [0, 0, 0];
  const [tcprx, tcptx, udprx, udptx] = (heartbeat?.t ?? [0, 0, 0, 0]).map((bytes) =>
    Math.max(0, bytes),
  );
  return {
    mid,
    name: record.name,
    labels: record.labels,
    revision: String(index.members.get(mid)?.revision ?? 0),
    address: record.address,
    status,
    lastSeen: heardAtWall === undefined ? null : new Date(heardAtWall).toISOString(),
    joined: new Date(record.joined).toISOString(),
    version,
    allow,
    draining: record.draining,
    duplicate,
    instances: { running, stopped, error },
    parts: index.ownedBy(mid).length,
    drift: heartbeat?.d ?? 0,
    traffic: { tcprx: tcprx ?? 0, tcptx: tcptx ?? 0, udprx: udprx ?? 0, udptx: udptx ?? 0 },
    cpu: heartbeat?.c ?? -1,
    memory: heartbeat?.m ?? 0,
  };
}
