import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import { type FleetEvent, hasRole } from "@nodepass/model/fleet";
import { alarmText, maySee } from "../access/scope.ts";
import type { Caller } from "../fleet.ts";
import type { LiveNews } from "../hubs/fleet-news.ts";
import type { Presence } from "../members/presence.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { InstanceEvents } from "./instance-events.ts";
import { masterView } from "./master-view.ts";
import { seesService } from "./sees-service.ts";
import { serviceView } from "./service-view.ts";

/** What readers are told from. */
export interface FleetEventsOptions {
  readonly index: FleetIndex;
  readonly presence: Presence;
  readonly news: LiveNews;
  readonly instances: InstanceEvents;
  /** Whether a reader's token still opens something. */
  readonly isGood: (token: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Readers of the fleet's events. */
export interface FleetEvents {
  subscribe(
    caller: Caller,
    options: { readonly instances: boolean },
    listener: (event: FleetEvent) => void,
  ): () => void;
  /** Tells all readers that the hub ends. */
  close(): void;
}

/** Tells each reader what they may see: first what is there, then what changes. */
export function createFleetEvents(options: FleetEventsOptions): FleetEvents {
  const { index, presence, news, instances, isGood, clock, logger } = options;
  const readers = new Set<{
    readonly end: () => void;
    readonly tell: (event: FleetEvent) => void;
  }>();
  const time = () => new Date(clock.now()).toISOString();

  const subscribe: FleetEvents["subscribe"] = (caller, { instances: withInstances }, listener) => {
    const unmasked = hasRole(caller.role, "admin");
    const stops: (() => void)[] = [];
    const end = () => {
      for (const stop of stops.splice(0)) stop();
    };
    const tell = (event: FleetEvent) => {
      try {
        if (isGood(caller.token)) listener(event);
        else if (stops.length > 0) {
          // Its token was removed or has ended while it read.
          end();
          listener({ type: "shutdown", time: time() });
        }
      } catch (error) {
        logger.error({ error: String(error) }, "a reader of events has failed");
      }
    };
    const labelsOf = (mid: string) => index.members.get(mid)?.value.labels;
    const master = (mid: string, type: "initial" | "master", message: string) => {
      const record = index.members.get(mid)?.value;
      if (record === undefined || record.evicted || !maySee(caller, record.labels)) return;
      tell({ type, time: time(), master: masterView(mid, record, presence, index), message });
    };
    const service = (sid: string, type: "initialService" | "service") => {
      const stored = index.services.get(sid);
      if (stored === undefined || !seesService(caller, stored.value, index)) return;
      const stuck = caller.selector.length === 0 ? news.stuck : undefined;
      const view = serviceView(sid, stored, presence, unmasked, stuck);
      tell({ type, time: time(), service: view, message: "" });
    };

    for (const mid of index.members.keys()) master(mid, "initial", "");
    for (const sid of index.services.keys()) service(sid, "initialService");
    for (const { alarm, message: text } of news.raised()) {
      const message = alarmText(caller, text);
      tell({ type: "alarm", time: time(), alarm, raised: true, message });
    }
    stops.push(
      index.onMember((mid, now, before) => {
        const was =
          before !== undefined && !before.value.evicted && maySee(caller, before.value.labels);
        const is = now !== undefined && !now.value.evicted && maySee(caller, now.value.labels);
        if (is) master(mid, "master", was ? "changed" : "joined");
        else if (was) tell({ type: "masterRemoved", time: time(), mid, message: "removed" });
      }),
      presence.onStatus((mid, { status, duplicate }) => {
        master(mid, "master", duplicate ? `${status}, another process has its identity` : status);
      }),
      index.onService((sid, now, before) => {
        if (now !== undefined && seesService(caller, now.value, index)) service(sid, "service");
        else if (before !== undefined && seesService(caller, before.value, index)) {
          tell({ type: "serviceRemoved", time: time(), sid, message: "" });
        }
      }),
      presence.onReport((_, { sid }) => service(sid, "service")),
      news.on((event) => {
        if (event.type === "failover") {
          const { from, to } = event;
          const isSeen = [from, to].some((mid) => mid !== null && maySee(caller, labelsOf(mid)));
          if (!isSeen && caller.selector.length > 0) return;
          service(event.sid, "service");
          // Why names others.
          if (to === null && caller.selector.length > 0) {
            tell({ ...event, message: "its master is lost, and nobody can take over" });
            return;
          }
        }
        const isAlarm = event.type === "alarm";
        tell(isAlarm ? { ...event, message: alarmText(caller, event.message) } : event);
      }),
    );
    if (withInstances) {
      stops.push(
        instances.subscribe((event, mid) => {
          if (maySee(caller, labelsOf(mid))) tell(event);
        }),
      );
    }
    const reader = { tell, end };
    readers.add(reader);
    return () => {
      readers.delete(reader);
      reader.end();
    };
  };

  return {
    subscribe,
    close: () => {
      for (const { tell, end } of readers) {
        end();
        tell({ type: "shutdown", time: time() });
      }
      readers.clear();
    },
  };
}
