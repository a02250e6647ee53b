import type { FleetMaster } from "@nodepass/model/fleet";
import { formatAgo } from "../../format/time.ts";
import type { Condition } from "../../state/status.ts";
import { fleetTexts } from "../i18n/index.ts";

/** How a master is, in the colours of tunnels. */
export const CONDITION_OF_MASTER: Readonly<Record<FleetMaster["status"], Condition>> = {
  online: "up",
  late: "waiting",
  lost: "failing",
  new: "stopped",
};

/** When a master was heard of last. */
export function lastSeen({ lastSeen: time }: FleetMaster): string {
  return time === null ? fleetTexts().masters.never : formatAgo(new Date(time));
}

/** What is to be said of a master beside its status. */
export function masterNotes({ draining, duplicate, drift }: FleetMaster): string {
  const t = fleetTexts().masters;
  return [
    ...(draining ? [t.draining] : []),
    ...(duplicate ? [t.duplicate] : []),
    ...(drift > 0 ? [t.drift(drift)] : []),
  ].join(", ");
}
