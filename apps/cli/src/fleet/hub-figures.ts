import type { FleetHub, HubApiOptions } from "@nodepass/fleet-hub";

type HubFigures = ReturnType<NonNullable<HubApiOptions["figures"]>>;

/** A hub's own figures, for its metrics. */
export function hubFigures(hub: FleetHub): HubFigures {
  const { leading, connected, counts, openOrders, badRecords, droppedEvents } = hub.figures();
  const gauge = (name: string, help: string, value: number) =>
    ({ name: `nodepass_fleet_hub_${name}`, type: "gauge", help, value }) as const;
  const counter = (name: string, help: string, value: number) =>
    ({ name: `nodepass_fleet_hub_${name}_total`, type: "counter", help, value }) as const;
  return [
    gauge("leading", "1: this hub leads", Number(leading)),
    gauge("engine_connected", "1: connected to the engine", Number(connected)),
    gauge("open_orders", "Orders that members have not carried out", openOrders),
    gauge("bad_records", "Records that can't be read", badRecords),
    counter("dropped_events", "Instance events that were dropped", droppedEvents),
    counter("syncs", "Syncs of members", counts.syncs),
    counter("busy", "Syncs that were put off", counts.busy),
    ...Object.entries(counts.bad).map(([place, value]) => ({
      ...counter("bad_messages", "Messages that could not be read", value),
      labels: { place },
    })),
  ];
}
