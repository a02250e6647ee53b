import type { Sync, Synced } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { LivePresence } from "./live-presence.ts";
import { ordersFor } from "./orders.ts";
import type { Vouchers } from "./vouchers.ts";

/** Syncs answered at once, that is within a window of so many ms. Section 9, "reconnect storm". */
export const SYNCS_AT_ONCE = 50;
const WINDOW_MS = 50;
/** Who is told to come again gets a moment of its own, so far behind the one before, ms: a little apart, since none is punctual. */
const TURN_MS = (WINDOW_MS / SYNCS_AT_ONCE) * 1.25;
/** Within this, ms. */
const BUSY_MS = { least: 100, most: 10_000 } as const;
/** Parts of a member at most. Section 9, limits. */
const MAX_ORDERS = 500;
/** A member that knows more than this hub comes again after this, ms. */
const LAGGING_MS = 500;
/** So long it counts that the index held all that the store has, ms. */
const WHOLE_FOR_MS = 5000;

/** What is needed to answer syncs. */
export interface SyncDeskOptions {
  readonly index: Pick<FleetIndex, "members" | "services" | "ownedBy" | "revision" | "isWhole">;
  readonly presence: Pick<LivePresence, "isEvicted">;
  /** Identity of the bucket of services. */
  readonly bucket: () => string;
  readonly clock: Clock;
  /** Asks the store how far it is: who knows more than this hub may just have heard it from another. */
  readonly storeRevision: () => Promise<number>;
  /** A member knows more than this store: it is another one, or older than it was. */
  readonly onOlder: (mid: string, bucket: string, revision: number) => void;
  /** Only what a hub has told is believed. */
  readonly vouchers: Pick<Vouchers, "order" | "revision" | "hasGiven">;
  readonly logger: Logger;
  /** The fleet's public keys. */
  readonly hubKeys: readonly Uint8Array[];
  /** Nonces of hubs' runs. */
  readonly runs: () => readonly string[];
}

/** @returns what answers a sync */
export function createSyncDesk(options: SyncDeskOptions): (mid: string, sync: Sync) => Synced {
  const { index, presence, clock, onOlder, hubKeys, vouchers, logger } = options;
  /** When this hub's index was known last to hold all that the store has, monotonic, ms. */
  let wholeAt = Number.NEGATIVE_INFINITY;
  let windowBegan = Number.NEGATIVE_INFINITY;
  const inWindow = new Set<string>();
  const doubted = new Set<string>();
  /** The last moment that somebody was told to come at, monotonic, ms. */
  let lastTurn = Number.NEGATIVE_INFINITY;

  /** When to come again, ms from now: all at once would meet the same crowd. */
  const nextTurn = () => {
    const now = clock.monotonic();
    lastTurn = Math.max(lastTurn + TURN_MS, now + BUSY_MS.least);
    // Those who never come take no one's turn for long.
    if (lastTurn > now + BUSY_MS.most) lastTurn = now + BUSY_MS.least;
    return Math.round(lastTurn - now);
  };

  /** A member counts once, so that none can take the others' turns. @returns ms; `undefined`: now */
  const turnedAway = (mid: string): number | undefined => {
    const now = clock.monotonic();
    if (now - windowBegan >= WINDOW_MS) {
      windowBegan = now;
      inWindow.clear();
    }
    if (inWindow.has(mid)) return BUSY_MS.least;
    if (inWindow.size >= SYNCS_AT_ONCE) return nextTurn();
    inWindow.add(mid);
    return undefined;
  };

  const askStore = () => {
    const askedAt = clock.monotonic();
    options.storeRevision().then(
      (revision) => {
        if (index.revision >= revision) wholeAt = askedAt;
      },
      // It is asked again when the member comes again.
      () => undefined,
    );
  };

  /** What the member has been told by a hub; what it only says is named. */
  const provenOf = (mid: string, { bucket: of, seen, revision }: Sync, knowsMore: boolean) => {
    if (vouchers.hasGiven(of, seen)) return seen?.revision;
    if (knowsMore && !doubted.has(mid)) {
      doubted.add(mid);
      const fields = { mid, bucket: of, revision };
      logger.warn(fields, "a master says to know more than the store, and can't show it");
    }
    return undefined;
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
    const afterMs = turnedAway(mid);
    if (afterMs !== undefined) return { answer: "busy", afterMs };
    // A set of half of it, or of the former one under the new one's name, would be a wrong one.
    if (!index.isWhole) return { answer: "busy", afterMs: LAGGING_MS };
    const bucket = options.bucket();
    const isOther = sync.bucket !== "" && sync.bucket !== bucket;
    const knowsMore = isOther || sync.revision > index.revision;
    const revision = provenOf(mid, sync, knowsMore);
    if (revision !== undefined && (isOther || revision > index.revision)) {
      // A set that is older than what the member has would leave it with what is not its any more.
      if (!isOther && clock.monotonic() - wholeAt > WHOLE_FOR_MS) {
        askStore();
        return { answer: "busy", afterMs: LAGGING_MS };
      }
      onOlder(mid, sync.bucket, revision);
    }
    const orders = ordersFor(mid, index);
    return {
      answer: "set",
      // What does not fit must not look like what is not its any more: such a set removes nothing.
      revision: orders.length > MAX_ORDERS ? 0 : index.revision,
      bucket,
      seen: vouchers.revision(orders.length > MAX_ORDERS ? 0 : index.revision),
      orders: orders.slice(0, MAX_ORDERS).map((order) => vouchers.order(mid, order)),
      name: member.name,
      hubKeys: [...hubKeys],
      runs: [...options.runs()],
    };
  };
}
