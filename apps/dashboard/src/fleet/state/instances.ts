import { type RemoteInstance, readInstance } from "@nodepass/master-client";
import { followFleetEvents } from "@nodepass/master-client/fleet";
import type { Service, ServicePart } from "@nodepass/model/fleet";
import { useEffect, useState } from "preact/hooks";
import { hrefOf } from "../../router.ts";
import type { Place, Placed } from "../../state/peers.ts";
import { type Row, Rows } from "../../state/rows.ts";
import { fleetTexts } from "../i18n/index.ts";
import type { Fleet } from "./fleet.ts";
import { nameOfService, serviceHref } from "./happenings.ts";
import { conditionOfPart } from "./parts.ts";

/** Pages are drawn anew at most this often for what comes in, ms. */
const REDRAW_MS = 500;

/** The instances of each master, by its mid. */
export type FleetInstances = ReadonlyMap<string, Rows>;

/** Hears of the instances of all masters, as long as they are looked at: it is much. */
export function useFleetInstances(fleet: Fleet): FleetInstances {
  const [told, setTold] = useState<{ readonly all: FleetInstances }>({ all: new Map() });
  const isLive = fleet.state.value === "live";
  useEffect(() => {
    if (!isLive) return undefined;
    const all = new Map<string, Rows>();
    const ended = new AbortController();
    let redraw: ReturnType<typeof setTimeout> | undefined;
    const followed = followFleetEvents(fleet.client, {
      signal: ended.signal,
      instances: true,
      onEvent: (event) => {
        if (event.type !== "instance" && event.type !== "instanceRemoved") return;
        const { mid } = event.instance;
        const rows = all.get(mid) ?? new Rows();
        all.set(mid, rows);
        const instance = readInstance(event.instance);
        if (instance === undefined || event.type === "instanceRemoved")
          rows.remove(event.instance.id);
        else rows.put(instance, performance.now());
        redraw ??= setTimeout(() => {
          redraw = undefined;
          setTold({ all });
        }, REDRAW_MS);
      },
    });
    // What it says is said of the fleet's own stream as well.
    followed.catch(() => undefined);
    return () => {
      ended.abort();
      clearTimeout(redraw);
    };
  }, [fleet, isLive]);
  return told.all;
}

/** Services as their masters run them, and what masters run by themselves. */
export function placedInFleet(fleet: Fleet, instances: FleetInstances): Placed[] {
  const masters = fleet.masters.value;
  const services = fleet.services.value;
  const places = new Map<string, Place>();
  const placeOf = (mid: string | null): Place => {
    const known = places.get(mid ?? "");
    if (known !== undefined) return known;
    const master = masters.get(mid ?? "");
    const t = fleetTexts();
    const name =
      master === undefined
        ? (mid ?? t.services.nobody)
        : master.status === "online"
          ? master.name
          : `${master.name} (${t.masters.statuses[master.status]})`;
    const place: Place = {
      id: mid ?? "",
      name,
      hrefOf: ({ id, peer }) => {
        if (services.has(peer.sid)) return serviceHref(peer.sid);
        return mid === null ? undefined : hrefOf({ name: "tunnel", id }, mid);
      },
    };
    places.set(mid ?? "", place);
    return place;
  };

  const ofServices = new Set<string>();
  const placed: Placed[] = [];
  for (const service of services.values()) {
    for (const part of service.parts) {
      const row = instances.get(part.owner ?? "")?.get(part.instance ?? "");
      if (row !== undefined) ofServices.add(`${part.owner} ${part.instance}`);
      placed.push({ place: placeOf(part.owner), row: rowOfPart(service, part, row) });
    }
  }
  for (const [mid, rows] of instances) {
    for (const row of masters.has(mid) ? rows.list() : []) {
      const { id, peer } = row.instance;
      // A master that has lost its part tells of it until it is told.
      if (ofServices.has(`${mid} ${id}`) || services.has(peer.sid)) continue;
      placed.push({ place: placeOf(mid), row });
    }
  }
  return placed;
}

/** A part as a row: what its master tells of it, if it can be believed; else what the hub knows. */
function rowOfPart(service: Service, part: ServicePart, row: Row | undefined): Row {
  const condition = conditionOfPart(part);
  const peer = { sid: service.sid, type: "", alias: service.alias };
  const told: RemoteInstance | undefined =
    row?.instance ??
    readInstance({ id: `${service.sid}-${part.role}`, type: part.role, url: part.url });
  if (told === undefined) throw new Error(`a part of the role ${part.role}`);
  const base = { ...told, peer, alias: nameOfService(service), tags: service.tags };
  const { reason } = part;
  if (condition === "failing") {
    return { ...NO_TRAFFIC, instance: { ...base, status: "error", reason, link: "" } };
  }
  if (condition === "waiting") {
    return { ...NO_TRAFFIC, instance: { ...base, status: "running", link: "down" } };
  }
  if (row !== undefined) return { ...row, instance: base };
  const status = condition === "up" ? "running" : "stopped";
  return { ...NO_TRAFFIC, instance: { ...base, status } };
}

const NO_TRAFFIC = { received: undefined, sent: undefined, spark: [] } as const;
