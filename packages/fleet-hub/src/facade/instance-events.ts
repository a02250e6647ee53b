import type { Clock } from "@nodepass/master-api";
import type { FleetEvent } from "@nodepass/model/fleet";
import { InstanceSchema } from "@nodepass/model/schemas";
import type { Messenger } from "../members/messenger.ts";
import type { Presence } from "../members/presence.ts";
import type { FleetIndex } from "../store/fleet-index.ts";

/** Members stop to send events unless they are asked again; section 5's `watch`. */
const WATCH_MS = 60_000;
const RENEW_MS = 30_000;
/** Events a second to all readers of a hub; what is beyond is dropped. Section 9. */
const MAX_EVENTS_PER_SECOND = 5000;

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
}

/** Asks members for events for as long as there are readers. */
export function createInstanceEvents(options: InstanceEventsOptions): InstanceEvents {
  const { messenger, presence, index, clock } = options;
  const listeners = new Set<{ readonly tell: (event: FleetEvent, mid: string) => void }>();
  let stop: (() => void) | undefined;
  let second = 0;
  let inSecond = 0;
  let dropped = 0;

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
    const read = InstanceSchema.safeParse(instance);
    if (member === undefined || !read.success || read.data.id === "********") return;
    const now = Math.floor(clock.monotonic() / 1000);
    if (now !== second) {
      second = now;
      inSecond = 0;
    }
    inSecond += 1;
    if (inSecond > MAX_EVENTS_PER_SECOND) {
      dropped += 1;
      return;
    }
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
