import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { Alarm, FleetEvent, PartRole } from "@nodepass/model/fleet";
import type { FleetNews } from "../services/service-operations.ts";
import type { Notices } from "./notices.ts";

/** A raised alarm is told again so often, for hubs that have just begun, ms. */
const REPEAT_MS = 15_000;
/** One of another hub that is not told again for so long is over: that hub is gone, ms. */
const FORGET_MS = 45_000;

/** Parts that nobody takes over of which is remembered why; the oldest are forgotten first. */
const MAX_STUCK = 10_000;

const STICKY: readonly Alarm[] = ["mass-loss", "store-older"];

/** News with their readers. */
export interface LiveNews extends FleetNews {
  /** Why nobody takes over a part of a lost master, as the leading hub said last; `undefined`: nothing was said. */
  stuck(sid: string, part: PartRole, owner: string): string | undefined;
  raised(): readonly { readonly alarm: Alarm; readonly message: string }[];
  /** Told alarms and failovers of all hubs. @returns ends it */
  on(listener: (event: FleetEvent) => void): () => void;
  close(): void;
}

type Failover = Parameters<FleetNews["failover"]>[0];

interface Raised {
  readonly message: string;
  /** When another hub told it last, monotonic, ms; `undefined`: it is this hub's own. */
  readonly heardAt: number | undefined;
}

/** Failovers and alarms, of this hub and of the others. */
export function createNews(notices: Notices, clock: Clock, logger: Logger): LiveNews {
  const alarms = new Map<Alarm, Raised>();
  const listeners = new Set<(event: FleetEvent) => void>();
  const stuck = new Map<string, { readonly owner: string | null; readonly message: string }>();
  const time = () => new Date(clock.now()).toISOString();
  const tell = (event: FleetEvent) => {
    for (const listener of listeners) listener(event);
  };

  const change = (alarm: Alarm, now: Raised | undefined, message: string) => {
    const was = alarms.get(alarm);
    if (now === undefined) alarms.delete(alarm);
    else alarms.set(alarm, now);
    if ((was === undefined) === (now === undefined)) return;
    const raised = now !== undefined;
    if (raised) logger.error({ alarm, why: message }, "alarm");
    else logger.info({ alarm }, "the alarm is over");
    tell({ type: "alarm", time: time(), alarm, raised, message });
  };

  /** @returns whether readers know it already */
  const note = ({ sid, part, from, to, message }: Failover) => {
    const key = `${sid} ${part}`;
    const was = stuck.get(key);
    stuck.delete(key);
    if (to !== null) return false;
    stuck.set(key, { owner: from, message });
    const [oldest] = stuck.keys();
    if (stuck.size > MAX_STUCK && oldest !== undefined) stuck.delete(oldest);
    return was?.owner === from && was.message === message;
  };

  const unlisten = notices.on((notice) => {
    if (notice.kind === "failover") {
      if (note(notice)) return;
      const { sid, part, from, to, message } = notice;
      tell({ type: "failover", time: time(), sid, part, from, to, message });
    } else if (notice.kind === "alarm") {
      const { alarm, raised, message } = notice;
      const isOwn = alarms.has(alarm) && alarms.get(alarm)?.heardAt === undefined;
      // One that is this hub's own ends here, or by a person's word, which comes by another road.
      if (isOwn && !raised) return;
      if (!isOwn)
        change(alarm, raised ? { message, heardAt: clock.monotonic() } : undefined, message);
    }
  });

  let stop = (): void => undefined;
  const repeat = () => {
    for (const [alarm, { message, heardAt }] of alarms) {
      if (heardAt === undefined) {
        notices.publish({ kind: "alarm", alarm, raised: true, message });
      } else if (clock.monotonic() - heardAt > FORGET_MS) {
        // What a person must end does not end with the hub that raised it.
        if (STICKY.includes(alarm)) alarms.set(alarm, { message, heardAt: undefined });
        else change(alarm, undefined, "the hub that raised it is gone");
      }
    }
    stop = clock.after(REPEAT_MS, repeat);
  };
  stop = clock.after(REPEAT_MS, repeat);

  return {
    failover: (event) => {
      if (!note(event)) {
        logger.warn({ sid: event.sid, part: event.part, to: event.to ?? "" }, event.message);
        tell({ type: "failover", time: time(), ...event });
      }
      notices.publish({ kind: "failover", ...event });
    },
    alarm: (alarm, raised, message) => {
      const was = alarms.get(alarm);
      if (!raised && was?.heardAt !== undefined) return;
      change(alarm, raised ? { message, heardAt: undefined } : undefined, message);
      if (raised || was !== undefined) notices.publish({ kind: "alarm", alarm, raised, message });
    },
    stuck: (sid, part, owner) => {
      const known = stuck.get(`${sid} ${part}`);
      return known?.owner === owner ? known.message : undefined;
    },
    isRaised: (alarm) => alarms.has(alarm),
    raised: () => [...alarms].map(([alarm, { message }]) => ({ alarm, message })),
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      stop();
      unlisten();
      listeners.clear();
    },
  };
}
