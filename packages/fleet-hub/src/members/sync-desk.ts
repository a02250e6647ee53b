import type { Sync, Synced } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { LivePresence } from "./live-presence.ts";
import { ordersFor } from "./orders.ts";

/** Syncs answered at once, that is within a window of so many ms. Section 9, "reconnect storm". */
export const SYNCS_AT_ONCE = 50;
const WINDOW_MS = 100;
/** Who is told to come again does so within this, ms. */
const BUSY_MS = { least: 200, most: 2000 } as const;

/** What is needed to answer syncs. */
export interface SyncDeskOptions {
  readonly index: Pick<FleetIndex, "members" | "services" | "ownedBy" | "revision">;
  readonly presence: Pick<LivePresence, "isEvicted">;
  /** Identity of the bucket of services. */
  readonly bucket: string;
  readonly clock: Clock;
  /** A member knows more than this store: it is another one, or older than it was. */
  readonly onOlder: (mid: string, sync: Sync) => void;
}

/** @returns what answers a sync */
export function createSyncDesk(options: SyncDeskOptions): (mid: string, sync: Sync) => Synced {
  const { index, presence, bucket, clock, onOlder } = options;
  let windowBegan = Number.NEGATIVE_INFINITY;
  let inWindow = 0;

  const isBusy = () => {
    const now = clock.monotonic();
    if (now - windowBegan >= WINDOW_MS) {
      windowBegan = now;
      inWindow = 0;
    }
    inWindow += 1;
    return inWindow > SYNCS_AT_ONCE;
  };

  return (mid, sync) => {
    const member = index.members.get(mid)?.value;
    if (member === undefined || member.evicted) {
      return { answer: "evicted", reason: "it was removed from the fleet" };
    }
    if (presence.isEvicted(mid, sync.session)) {
      const reason = "another process with this identity has synced after it";
      return { answer: "evicted", reason };
    }
    if (isBusy()) {
      const afterMs = BUSY_MS.least + Math.random() * (BUSY_MS.most - BUSY_MS.least);
      return { answer: "busy", afterMs: Math.round(afterMs) };
    }
    const isOther = sync.bucket !== "" && sync.bucket !== bucket;
    if (isOther || sync.revision > index.revision) onOlder(mid, sync);
    return {
      answer: "set",
      revision: index.revision,
      bucket,
      orders: [...ordersFor(mid, index)].slice(0, 500),
      name: member.name,
    };
  };
}
