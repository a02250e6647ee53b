import { parseMasterAddress } from "@nodepass/master-client";
import {
  createFleetClient,
  type FleetClient,
  followFleetEvents,
} from "@nodepass/master-client/fleet";
import type { Alarm, FleetEvent, FleetInfo, FleetMaster, Service } from "@nodepass/model/fleet";
import { type ReadonlySignal, signal } from "@preact/signals";
import { type Followed, keepFollowing } from "../../state/keep-following.ts";
import { openedMember } from "../../state/masters.ts";
import { Happenings } from "./happenings.ts";

/** A fleet that is followed: its masters and services are here as its hub tells of them. */
export interface Fleet extends Followed {
  readonly client: FleetClient;
  /** What the hub says of itself and of the token; `undefined` before it has. */
  readonly info: ReadonlySignal<FleetInfo | undefined>;
  readonly masters: ReadonlySignal<ReadonlyMap<string, FleetMaster>>;
  readonly services: ReadonlySignal<ReadonlyMap<string, Service>>;
  /** What is wrong with the fleet now. */
  readonly alarms: ReadonlySignal<ReadonlyMap<Alarm, string>>;
  readonly happenings: Happenings;
  /** Whether it has told of all of them once. */
  readonly isLoaded: ReadonlySignal<boolean>;
  /** The token that it is asked with. */
  readonly key: () => string;
  /** Name of a master; its mid where it is not known any more. */
  nameOf(mid: string | null): string;
  /** Asks for the masters' figures: events tell of changes of their status only. */
  refreshMasters(): Promise<void>;
  /** What an answer tells is shown at once. */
  putMaster(master: FleetMaster): void;
  putService(service: Service): void;
  forgetService(sid: string): void;
}

/** Pages are drawn anew at most this often for what comes in, ms. */
const REDRAW_MS = 200;

/** Moves wait for two masters, ms. */
const TIMEOUT_MS = 60_000;

/** A client in this browser: events are opened by ticket. */
export function createHubClient(url: string, key: string): FleetClient {
  return createFleetClient({
    address: parseMasterAddress(url),
    key,
    eventTickets: true,
    timeoutMs: TIMEOUT_MS,
  });
}

/** Follows a fleet from now on, through its hub's absences, until it is closed. */
export function followFleet(url: string, initialKey: string): Fleet {
  let key = initialKey;
  const client = createHubClient(url, key);
  const info = signal<FleetInfo | undefined>(undefined);
  const masters = signal<ReadonlyMap<string, FleetMaster>>(new Map());
  const services = signal<ReadonlyMap<string, Service>>(new Map());
  const alarms = signal<ReadonlyMap<Alarm, string>>(new Map());
  const isLoaded = signal(false);
  const nextMasters = new Map<string, FleetMaster>();
  const nextServices = new Map<string, Service>();
  const nextAlarms = new Map<Alarm, string>();
  const nameOf = (mid: string | null): string =>
    mid === null ? "–" : (nextMasters.get(mid)?.name ?? mid);
  const happenings = new Happenings({ masters: nextMasters, services: nextServices, nameOf });
  let redraw: ReturnType<typeof setTimeout> | undefined;

  const show = (): void => {
    clearTimeout(redraw);
    redraw = undefined;
    isLoaded.value ||= following.state.peek() === "live";
    masters.value = new Map(nextMasters);
    services.value = new Map(nextServices);
    alarms.value = new Map(nextAlarms);
  };
  const changed = (): void => {
    redraw ??= setTimeout(show, REDRAW_MS);
  };

  const putService = (service: Service): void => {
    const known = nextServices.get(service.sid);
    // An answer may overtake the event of what was before.
    if (known === undefined || Number(known.revision) <= Number(service.revision)) {
      nextServices.set(service.sid, service);
    }
  };
  const onEvent = (event: FleetEvent): void => {
    // It compares with what was before.
    happenings.hear(event, nextAlarms);
    switch (event.type) {
      case "initial":
      case "master":
        nextMasters.set(event.master.mid, event.master);
        break;
      case "masterRemoved":
        nextMasters.delete(event.mid);
        break;
      case "initialService":
      case "service":
        putService(event.service);
        break;
      case "serviceRemoved":
        nextServices.delete(event.sid);
        break;
      case "alarm":
        if (event.raised) nextAlarms.set(event.alarm, event.message);
        else nextAlarms.delete(event.alarm);
        break;
      // A failover changes its service, too; instances are told to who looks at them.
      case "failover":
      case "instance":
      case "instanceRemoved":
      case "shutdown":
        return;
    }
    changed();
  };

  const refreshMasters = async (): Promise<void> => {
    for (const master of await client.masters()) nextMasters.set(master.mid, master);
    changed();
  };

  /** Streams begin with what is there and say nothing of what went meanwhile. */
  const forgetMissing = async (): Promise<void> => {
    const before = [new Set(nextMasters.keys()), new Set(nextServices.keys())] as const;
    try {
      const [facts, mastersNow, servicesNow] = await Promise.all([
        client.info(),
        client.masters(),
        client.services(),
      ]);
      info.value = facts;
      const there = new Set([
        ...mastersNow.map(({ mid }) => mid),
        ...servicesNow.map(({ sid }) => sid),
      ]);
      for (const mid of before[0]) if (!there.has(mid)) nextMasters.delete(mid);
      for (const sid of before[1]) if (!there.has(sid)) nextServices.delete(sid);
      const raised = new Set(facts.alarms.map(({ alarm }) => alarm));
      for (const alarm of nextAlarms.keys()) if (!raised.has(alarm)) nextAlarms.delete(alarm);
      changed();
    } catch {
      // The stream breaks as well, and is opened again.
    }
  };

  const following = keepFollowing(async ({ signal: ended, onOpen, onLost }) => {
    info.value = await client.info();
    const opened = (): void => {
      onOpen();
      if (nextMasters.size + nextServices.size + nextAlarms.size > 0) void forgetMissing();
      changed();
    };
    await followFleetEvents(client, { signal: ended, onEvent, onOpen: opened, onLost });
  });

  return {
    url,
    client,
    state: following.state,
    reason: following.reason,
    info,
    masters,
    services,
    alarms,
    happenings,
    isLoaded,
    key: () => key,
    nameOf,
    refreshMasters,
    putMaster(master) {
      nextMasters.set(master.mid, master);
      show();
    },
    putService(service) {
      putService(service);
      show();
    },
    forgetService(sid) {
      nextServices.delete(sid);
      show();
    },
    useKey(other) {
      key = other;
      client.setKey(other);
      // It is asked with the same token, through the hub.
      openedMember.peek()?.useKey(other);
      following.keyChanged();
    },
    retry: following.retry,
    close() {
      following.close();
      clearTimeout(redraw);
    },
  };
}
