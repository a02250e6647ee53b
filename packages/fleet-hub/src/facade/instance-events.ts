import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { FleetEvent } from "@nodepass/model/fleet";
import { InstanceSchema } from "@nodepass/model/schemas";
import type { Messenger } from "../members/messenger.ts";
import type { Presence } from "../members/presence.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import { createFairShare } from "./fair-share.ts";

/** Members stop to send events unless they are asked again; section 5's `watch`. */
const WATCH_MS = 60_000;
const RENEW_MS = 30_000;
/** Events a second to all readers of a hub, shared by members; what is beyond is dropped. Section 9. */
const MAX_EVENTS_PER_SECOND = 5000;
/** What was dropped is logged so often at most, ms. */
const SAID_MS = 60_000;

/** Events of all members' instances, while somebody reads them. */
export interface InstanceEvents {
  /** @returns ends it: with the last reader, members are told to stop */
  subscribe(listener: (event: FleetEvent, mid: string) => void): () => void;
  /** Events that were dropped because there were too many. */
  readonly dropped: number;
  close(): void;
}

/** What events are made of. */
export interface InstanceEventsOptions {
  readonly messenger: Pick<Messenger, "watch" | "onEvent">;
  readonly presence: Pick<Presence, "facts" | "onSync">;
  readonly index: Pick<FleetIndex, "members">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks members for events for as long as there are readers. */
export function createInstanceEvents(options: InstanceEventsOptions): InstanceEvents {
  const { messenger, presence, index, clock, logger } = options;
  const listeners = new Set<{ readonly tell: (event: FleetEvent, mid: string) => void }>();
  let stop: (() => void) | undefined;
  const mayTell = createFairShare(MAX_EVENTS_PER_SECOND, clock);
  let dropped = 0;
  /** Not yet said, by mid. */
  let unsaid = new Map<string, number>();
  let saidAt = Number.NEGATIVE_INFINITY;
  const drop = (mid: string) => {
    dropped += 1;
    unsaid.set(mid, (unsaid.get(mid) ?? 0) + 1);
    if (clock.monotonic() - saidAt < SAID_MS) return;
    saidAt = clock.monotonic();
    const [[most, count] = [mid, 0]] = [...unsaid].sort(([, one], [, other]) => other - one);
    const fields = { masters: unsaid.size, mid: most, count, perSecond: MAX_EVENTS_PER_SECOND };
    logger.warn(
      fields,
      "masters tell more events than are passed on; the one that tells most is named",
    );
    unsaid = new Map();
  };

  const watchAll = (forMs: number, initial = true) => {
    for (const [mid, { value }] of index.members) {
      if (!value.evicted && presence.facts(mid).session !== undefined) {
        messenger.watch(mid, { forMs, initial });
      }
    }
  };
  const renew = (initial: boolean) => {
    watchAll(WATCH_MS, initial);
    stop = clock.after(RENEW_MS, () => renew(false));
  };

  const unsync = presence.onSync((mid) => {
    // It has begun anew and knows of no reader.
    if (listeners.size > 0) messenger.watch(mid, { forMs: WATCH_MS });
  });
  const unlisten = messenger.onEvent((mid, { type, instance }) => {
    const member = index.members.get(mid)?.value;
    if (member === undefined) return;
    if (!mayTell(mid)) {
      drop(mid);
      return;
    }
    const read = InstanceSchema.safeParse(instance);
    if (!read.success || read.data.id === "********") return;
    const { sid } = read.data.meta.peer;
    const event: FleetEvent = {
      type: type === "delete" ? "instanceRemoved" : "instance",
      time: new Date(clock.now()).toISOString(),
      instance: { ...read.data, mid, master: member.name, sid: sid === "" ? null : sid },
    };
    for (const { tell } of listeners) tell(event, mid);
  });

  return {
    subscribe: (tell) => {
      const listener = { tell };
      listeners.add(listener);
      // A new reader is to see what is there: members tell it when they are asked.
      if (stop === undefined) renew(true);
      else watchAll(WATCH_MS);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0 || stop === undefined) return;
        stop();
        stop = undefined;
        watchAll(0);
      };
    },
    get dropped() {
      return dropped;
    },
    close: () => {
      stop?.();
      stop = undefined;
      listeners.clear();
      unsync();
      unlisten();
    },
  };
}
