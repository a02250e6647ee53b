import {
  createRateMeter,
  type Rates,
  type RemoteEvent,
  type RemoteInstance,
} from "@nodepass/master-client";

/** The orders that instances can be in. */
export const sortOrders = ["rate", "traffic", "connections", "name"] as const;
export type SortOrder = (typeof sortOrders)[number];

/** An instance and its rates. */
export interface BoardRow {
  readonly instance: RemoteInstance;
  readonly rates: Rates;
}

/** All that is known of a master's instances. */
export interface InstanceBoard {
  /** Takes what a master told of one instance. */
  apply(event: RemoteEvent, atMs: number): void;
  /** Takes a whole list: what is not in it is gone. */
  replace(instances: readonly RemoteInstance[], atMs: number): void;
  rows(order: SortOrder, nowMs: number): BoardRow[];
}

/** Creates an empty board. */
export function createInstanceBoard(): InstanceBoard {
  const instances = new Map<string, RemoteInstance>();
  const meter = createRateMeter();
  const put = (instance: RemoteInstance, atMs: number) => {
    const { id, tcprx, tcptx, udprx, udptx } = instance;
    instances.set(id, instance);
    meter.record(id, tcprx + udprx, tcptx + udptx, atMs);
  };
  const remove = (id: string) => {
    instances.delete(id);
    meter.forget(id);
  };
  return {
    apply: ({ type, instance }, atMs) => {
      if (instance === undefined) return;
      if (type === "delete") remove(instance.id);
      // A log event's numbers may be as old as the last check point: they are no new look.
      else if (type !== "log") put(instance, atMs);
    },
    replace: (list, atMs) => {
      const listed = new Set(list.map(({ id }) => id));
      for (const id of instances.keys()) if (!listed.has(id)) remove(id);
      for (const instance of list) put(instance, atMs);
    },
    rows: (order, nowMs) =>
      [...instances.values()]
        .map((instance) => ({ instance, rates: meter.rates(instance.id, nowMs) }))
        .sort((one, other) => compareBy[order](one, other) || byName(one, other)),
  };
}

/** Bytes a second in both directions. */
function totalRate({ rates: { received = 0, sent = 0 } }: BoardRow): number {
  return received + sent;
}

const traffic = ({ instance: { tcprx, tcptx, udprx, udptx } }: BoardRow) =>
  tcprx + tcptx + udprx + udptx;
const connections = ({ instance: { tcps, udps } }: BoardRow) => tcps + udps;
const nameOf = ({ instance: { alias, id } }: BoardRow) => alias || id;

function byName(one: BoardRow, other: BoardRow): number {
  return (
    nameOf(one).localeCompare(nameOf(other)) || one.instance.id.localeCompare(other.instance.id)
  );
}

const compareBy: Readonly<Record<SortOrder, (one: BoardRow, other: BoardRow) => number>> = {
  rate: (one, other) => totalRate(other) - totalRate(one),
  traffic: (one, other) => traffic(other) - traffic(one),
  connections: (one, other) => connections(other) - connections(one),
  name: byName,
};
