import type { Alarm, FleetEvent, FleetMaster, PartRole, Service } from "@nodepass/model/fleet";
import { type ReadonlySignal, signal } from "@preact/signals";

/** What can happen in a fleet that somebody wants to know of later. */
type What =
  | {
      readonly type: "failover";
      readonly part: PartRole;
      readonly from: string;
      readonly to: string;
    }
  | { readonly type: "moved"; readonly part: PartRole; readonly from: string; readonly to: string }
  | { readonly type: "alarm"; readonly alarm: Alarm; readonly isRaised: boolean }
  | { readonly type: "status"; readonly status: FleetMaster["status"] }
  | { readonly type: "joined" | "left" | "duplicate" | "created" | "removed" };

/** Something that happened in a fleet. */
export type Happening = What & {
  readonly number: number;
  readonly time: Date;
  /** Of the master or service; empty for the fleet as a whole. */
  readonly name: string;
  readonly href: string | undefined;
  /** In the hub's own words. */
  readonly message: string;
};

/** What was known before an event. */
export interface KnownFleet {
  readonly masters: ReadonlyMap<string, FleetMaster>;
  readonly services: ReadonlyMap<string, Service>;
  nameOf(mid: string | null): string;
}

const MOST = 500;

/** What happened in a fleet since the page was opened, newest first. */
export class Happenings {
  readonly #known: KnownFleet;
  readonly #list = signal<readonly Happening[]>([]);
  /** Who had each part last: while one moves, nobody has it. */
  readonly #owners = new Map<string, string>();
  #number = 0;

  constructor(known: KnownFleet) {
    this.#known = known;
  }

  get list(): ReadonlySignal<readonly Happening[]> {
    return this.#list;
  }

  /** Hears an event before what is known is changed by it. */
  hear(event: FleetEvent, alarms: ReadonlyMap<Alarm, string>): void {
    switch (event.type) {
      case "initial":
      case "master":
        this.#hearMaster(event.master, event.type === "initial", event);
        break;
      case "masterRemoved":
        this.#put({ type: "left" }, event, this.#known.nameOf(event.mid));
        break;
      case "initialService":
      case "service":
        this.#hearService(event.service, event.type === "initialService", event);
        break;
      case "serviceRemoved": {
        const known = this.#known.services.get(event.sid);
        if (known !== undefined) this.#put({ type: "removed" }, event, nameOfService(known));
        break;
      }
      case "failover": {
        const { part, sid } = event;
        const known = this.#known.services.get(sid);
        const [from, to] = [this.#known.nameOf(event.from), this.#known.nameOf(event.to)];
        const name = known === undefined ? sid : nameOfService(known);
        // It is told of the service, too, before or after this.
        const isSame = (each: Happening): boolean =>
          each.type === "moved" && each.part === part && each.to === to && each.name === name;
        const [newest] = this.#list.peek();
        if (newest !== undefined && isSame(newest)) this.#list.value = this.#list.peek().slice(1);
        if (event.to !== null) this.#owners.set(`${sid} ${part}`, event.to);
        this.#put({ type: "failover", part, from, to }, event, name, serviceHref(sid));
        break;
      }
      case "alarm":
        // Each stream begins with those that are raised.
        if (alarms.has(event.alarm) !== event.raised) {
          this.#put({ type: "alarm", alarm: event.alarm, isRaised: event.raised }, event, "");
        }
        break;
      case "instance":
      case "instanceRemoved":
      case "shutdown":
        break;
    }
  }

  #hearMaster(master: FleetMaster, isInitial: boolean, event: Told): void {
    const before = this.#known.masters.get(master.mid);
    const href = `#/masters/${master.mid}/`;
    if (before === undefined) {
      if (!isInitial) this.#put({ type: "joined" }, event, master.name, href);
      return;
    }
    if (before.status !== master.status) {
      this.#put({ type: "status", status: master.status }, event, master.name, href);
    }
    if (!before.duplicate && master.duplicate) {
      this.#put({ type: "duplicate" }, event, master.name, href);
    }
  }

  #hearService(service: Service, isInitial: boolean, event: Told): void {
    const before = this.#known.services.get(service.sid);
    const [name, href] = [nameOfService(service), serviceHref(service.sid)];
    if (before === undefined && !isInitial) this.#put({ type: "created" }, event, name, href);
    for (const { role, owner } of service.parts) {
      const key = `${service.sid} ${role}`;
      const had = this.#owners.get(key);
      if (owner === null || owner === had) continue;
      this.#owners.set(key, owner);
      if (had === undefined) continue;
      const [from, to] = [this.#known.nameOf(had), this.#known.nameOf(owner)];
      this.#put({ type: "moved", part: role, from, to }, event, name, href);
    }
  }

  #put(what: What, { time, message = "" }: Told, name: string, href?: string): void {
    this.#number += 1;
    const happening = { ...what, number: this.#number, time: new Date(time), name, href, message };
    this.#list.value = [happening, ...this.#list.peek().slice(0, MOST - 1)];
  }
}

/** What every event has. */
interface Told {
  readonly time: string;
  readonly message?: string;
}

/** Name of a service for people. */
export function nameOfService({ alias, sid }: Service): string {
  return alias || sid;
}

/** Where more of a service is told. */
export function serviceHref(sid: string): string {
  return `#/services/${encodeURIComponent(sid)}`;
}
